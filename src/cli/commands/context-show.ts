import { type Command, noArgs } from '../command/index.ts';
import { currentContext } from '../host/index.ts';

/** `berth context show`. */
export const command: Command = {
  usage: '',
  short: 'Print the name of the current context',
  args: noArgs,
  async run({ globals, terminal }) {
    terminal.stdout.write(`${currentContext(globals, terminal.env)}\n`);
  },
};
