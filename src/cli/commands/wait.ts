import { atLeast, type Command } from '../command/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';

/** `berth wait`. */
export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Wait until containers stop, then print their exit codes',
  args: atLeast(1),
  async run(invocation) {
    const { args, terminal } = invocation;
    const client = await connectClient(invocation);
    return forEachName(terminal, args, async (name) => {
      const { result } = await client.containers.wait(name);
      return `${(await result).StatusCode}\n`;
    });
  },
};
