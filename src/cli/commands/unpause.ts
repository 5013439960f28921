import { eachCommand } from '../each-command.ts';

/** `berth unpause`. */
export const command = eachCommand({
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Let paused containers go on',
  work: (client, name) => client.containers.unpause(name),
});
