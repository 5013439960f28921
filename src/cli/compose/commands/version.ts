import { composeVersion } from '#compose';
import { noArgs } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';

const flags = flagTable(`
  -f, --format string   Kind of output: 'pretty' or 'json' (default "pretty")
      --short           Only the number
`);

/** `berth compose version`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS]',
  short: 'Show the version of compose',
  flags,
  args: noArgs,
  async run({ flags: given, terminal }) {
    if (given.bool('short')) terminal.stdout.write(`${composeVersion}\n`);
    else if (given.string('format') === 'json')
      terminal.stdout.write(`${JSON.stringify({ version: composeVersion })}\n`);
    else terminal.stdout.write(`Docker Compose version ${composeVersion}\n`);
  },
};
