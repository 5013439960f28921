import { restart } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';
import { runPlan, timeoutFlag } from '../plan-command.ts';

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
    const { args, compose, flags: given } = invocation;
    const opened = await openNamed(invocation, args);
    await runPlan(invocation, opened, (context) =>
      restart(context, {
        services: args,
        timeout: timeoutFlag(invocation),
        noDeps: given.bool('no-deps'),
        dryRun: compose.dryRun,
      }),
    );
  },
};
