import { inspectCommand } from '../inspect-command.ts';

/** `berth network inspect`. */
export const command = inspectCommand({
  type: 'network',
  flag: '  -v, --verbose         Say more for diagnostics',
  fetch: (client, name, given) => client.networks.inspectText(name, { verbose: given.bool('verbose') }),
});
