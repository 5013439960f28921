import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
  -f, --force   Do not mind volumes that are gone
`);

/** `berth volume rm`. */
export const command: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  short: 'Remove one or more volumes',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    return forEachName(terminal, args, (name) => client.volumes.remove(name, { force: given.bool('force') }));
  },
};
