import { eachCommand } from '../each-command.ts';
import { flagTable } from '../flags/index.ts';

/** `berth volume rm`. */
export const command = eachCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  short: 'Remove one or more volumes',
  flags: flagTable(`
  -f, --force   Do not mind volumes that are gone
`),
  work: (client, name, { flags: given }) => client.volumes.remove(name, { force: given.bool('force') }),
});
