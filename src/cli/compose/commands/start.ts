import { start } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';
import { runPlan, timeoutFlag } from '../plan-command.ts';

/** `berth compose start`. */
export const command: ComposeCommand = {
  usage: '[SERVICE...]',
  short: 'Start services',
  flags: flagTable(`
      --wait               Wait until services run or are healthy
      --wait-timeout int   Most seconds to wait
`),
  args: atLeast(0),
  async run(invocation) {
    const { args, compose, flags } = invocation;
    const opened = await openNamed(invocation, args);
    await runPlan(invocation, opened, (context) =>
      start(context, {
        services: args,
        wait: flags.bool('wait'),
        waitTimeout: timeoutFlag(invocation, 'wait-timeout'),
        dryRun: compose.dryRun,
      }),
    );
  },
};
