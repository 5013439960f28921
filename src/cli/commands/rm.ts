import { isBerthError } from '#base';
import { atLeast, type Command } from '../command/index.ts';
import { errorText } from '../error-text.ts';
import { flagTable } from '../flags/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
  -f, --force     Remove a running container too (SIGKILL)
  -l, --link      Remove the link of this name
  -v, --volumes   Remove the container's anonymous volumes
`);

/** `berth rm`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Remove one or more containers',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    const options = { force: given.bool('force'), volumes: given.bool('volumes'), link: given.bool('link') };
    return forEachName(terminal, args, async (name) => {
      try {
        await client.containers.remove(name.replace(/^\/+/, ''), options);
      } catch (error) {
        if (!(options.force && isBerthError(error, 'not-found'))) throw error;
        terminal.stderr.write(errorText(error));
        return '';
      }
      return undefined;
    });
  },
};
