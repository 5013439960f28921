import { notImplemented } from '#base';
import { atLeast } from '../../command/index.ts';
import type { ComposeCommand } from '../compose-command.ts';

/** `berth compose alpha`: says what to do instead. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] COMMAND',
  short: 'Experiments of docker compose (not supported)',
  args: atLeast(0),
  interspersed: false,
  async run() {
    throw notImplemented(
      'the experiments of docker compose (generate, publish, viz) are not supported; "compose config" prints the project for other tools',
    );
  },
};
