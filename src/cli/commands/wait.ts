import { eachCommand } from '../each-command.ts';

/** `berth wait`. */
export const command = eachCommand({
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Wait until containers stop, then print their exit codes',
  async work(client, name) {
    const { result } = await client.containers.wait(name);
    return `${(await result).StatusCode}\n`;
  },
});
