import { restart } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { runServicePlan, timeoutFlag } from '../plan-command.ts';

const flags = flagTable(`
      --no-deps       Leave the services that depend on these alone
  -t, --timeout int   Seconds until a container that is stopped is killed
`);

/** `berth compose restart`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Restart the containers of services',
  flags,
  args: atLeast(0),
  async run(invocation) {
    await runServicePlan(invocation, (context, target) =>
      restart(context, { ...target, timeout: timeoutFlag(invocation), noDeps: invocation.flags.bool('no-deps') }),
    );
  },
};
