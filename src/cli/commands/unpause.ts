import { atLeast, type Command } from '../command/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';

/** `berth unpause`. */
export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Let paused containers go on',
  args: atLeast(1),
  async run(invocation) {
    const { args, terminal } = invocation;
    const client = await connectClient(invocation);
    return forEachName(terminal, args, (name) => client.containers.unpause(name));
  },
};
