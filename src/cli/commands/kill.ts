import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
  -s, --signal string   Signal to send to the container
`);

/** `berth kill`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Kill one or more running containers',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    return forEachName(terminal, args, (name) => client.containers.kill(name, given.string('signal', 'KILL')));
  },
};
