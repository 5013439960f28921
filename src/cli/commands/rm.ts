import { isBerthError } from '#base';
import { eachCommand } from '../each-command.ts';
import { errorText } from '../error-text.ts';
import { flagTable } from '../flags/index.ts';

/** `berth rm`. */
export const command = eachCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Remove one or more containers',
  flags: flagTable(`
  -f, --force     Remove a running container too (SIGKILL)
  -l, --link      Remove the link of this name
  -v, --volumes   Remove the container's anonymous volumes
`),
  async work(client, name, { flags: given, terminal }) {
    const options = { force: given.bool('force'), volumes: given.bool('volumes'), link: given.bool('link') };
    try {
      await client.containers.remove(name.replace(/^\/+/, ''), options);
    } catch (error) {
      if (!(options.force && isBerthError(error, 'not-found'))) throw error;
      terminal.stderr.write(errorText(error));
      return '';
    }
    return undefined;
  },
});
