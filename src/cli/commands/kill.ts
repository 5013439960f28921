import { eachCommand } from '../each-command.ts';
import { flagTable } from '../flags/index.ts';

/** `berth kill`. */
export const command = eachCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Kill one or more running containers',
  flags: flagTable(`
  -s, --signal string   Signal to send to the container
`),
  work: (client, name, { flags: given }) => client.containers.kill(name, given.string('signal', 'KILL')),
});
