import { eachCommand } from '../each-command.ts';

/** `berth pause`. */
export const command = eachCommand({
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Pause all processes of one or more containers',
  work: (client, name) => client.containers.pause(name),
});
