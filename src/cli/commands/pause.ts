import { atLeast, type Command } from '../command/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';

/** `berth pause`. */
export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Pause all processes of one or more containers',
  args: atLeast(1),
  async run(invocation) {
    const { args, terminal } = invocation;
    const client = await connectClient(invocation);
    return forEachName(terminal, args, (name) => client.containers.pause(name));
  },
};
