import { type Command, ExitError, exactly } from '../command/index.ts';
import { completionScript } from '../completion/scripts.ts';

/** `berth completion`. */
export const command: Command = {
  usage: 'bash|zsh|fish',
  short: 'Write the completion script of a shell',
  args: exactly(1),
  async run({ args, terminal }) {
    const [shell = ''] = args;
    const script = completionScript(shell);
    if (script === undefined) {
      throw new ExitError(1, `there is no completion for ${JSON.stringify(shell)}: bash, zsh or fish\n`);
    }
    terminal.stdout.write(script);
  },
};
