import { isBerthError } from '#base';
import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
  -f, --force   Do not mind networks that are gone
`);

/** `berth network rm`. */
export const command: Command = {
  usage: 'NETWORK [NETWORK...]',
  short: 'Remove one or more networks',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    return forEachName(terminal, args, async (name) => {
      try {
        await client.networks.remove(name);
      } catch (error) {
        if (given.bool('force') && isBerthError(error, 'not-found')) return '';
        throw error;
      }
      return undefined;
    });
  },
};
