import { notImplemented } from '#base';
import { atLeast } from '../../command/index.ts';
import type { ComposeCommand } from '../compose-command.ts';

/** `berth compose bridge`: says what to do instead. */
export const command: ComposeCommand = {
  usage: 'CMD',
  short: 'Turn Compose files into another model (not supported)',
  args: atLeast(0),
  interspersed: false,
  async run() {
    throw notImplemented(
      'Compose files are not turned into other models; give the output of "compose config" to a converter',
    );
  },
};
