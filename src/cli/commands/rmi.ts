import { isBerthError } from '#base';
import { atLeast, type Command } from '../command/index.ts';
import { errorText } from '../error-text.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
  -f, --force      Remove the image even if containers use it
      --no-prune   Keep untagged parents
`);

/** `berth rmi`. */
export const command: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Remove one or more images',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    let code = 0;
    for (const name of args) {
      try {
        const items = await client.images.remove(name, { force: given.bool('force'), noPrune: given.bool('no-prune') });
        const lines = items.map((item) => (item.Deleted ? `Deleted: ${item.Deleted}` : `Untagged: ${item.Untagged}`));
        terminal.stdout.write(lines.map((line) => `${line}\n`).join(''));
      } catch (error) {
        terminal.stderr.write(errorText(error));
        if (!(given.bool('force') && isBerthError(error, 'not-found'))) code = 1;
      }
    }
    return code;
  },
};
