import { inspectCommand } from '../inspect-command.ts';

/** `berth container inspect`. */
export const command = inspectCommand({
  type: 'container',
  flag: '  -s, --size            Show sizes of files',
  fetch: (client, name, given) => client.containers.inspectText(name, { size: given.bool('size') }),
});
