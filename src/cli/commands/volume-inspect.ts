import { inspectCommand } from '../inspect-command.ts';

/** `berth volume inspect`. */
export const command = inspectCommand({
  type: 'volume',

  fetch: (client, name) => client.volumes.inspectText(name),
});
