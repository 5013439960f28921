import { kill } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { runServicePlan } from '../plan-command.ts';

const flags = flagTable(`
      --remove-orphans   Also containers of services that the file does not have
  -s, --signal string    Signal to send (default "SIGKILL")
`);

/** `berth compose kill`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Kill the containers of services',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given } = invocation;
    const plan = await runServicePlan(invocation, (context, target) =>
      kill(context, {
        ...target,
        signal: given.string('signal', 'SIGKILL'),
        removeOrphans: given.bool('remove-orphans'),
      }),
    );
    if (plan.steps.length === 0) invocation.terminal.stderr.write('no container to kill\n');
  },
};
