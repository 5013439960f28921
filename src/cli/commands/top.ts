import { atLeast, type Command } from '../command/index.ts';
import { alignTabs } from '../format/index.ts';
import { connectClient } from '../host/index.ts';

/** `berth top`. */
export const command: Command = {
  usage: 'CONTAINER [ps OPTIONS]',
  short: 'Display the processes of a container',
  args: atLeast(1),
  interspersed: false,
  async run(invocation) {
    const [container = '', ...psWords] = invocation.args;
    const client = await connectClient(invocation);
    const { Titles: titles, Processes: processes } = await client.containers.top(container, psWords.join(' '));
    const lines = [titles, ...processes].map((cells) => cells.join('\t'));
    invocation.terminal.stdout.write(`${alignTabs(lines.join('\n'), { minWidth: 20, padding: 3 })}\n`);
  },
};
