import { stop } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { runServicePlan, timeoutFlag } from '../plan-command.ts';

/** `berth compose stop`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Stop services',
  flags: flagTable('  -t, --timeout int   Seconds until a container that is stopped is killed'),
  args: atLeast(0),
  async run(invocation) {
    await runServicePlan(invocation, (context, target) =>
      stop(context, { ...target, timeout: timeoutFlag(invocation) }),
    );
  },
};
