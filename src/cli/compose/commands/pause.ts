import { pause } from '#compose';
import { atLeast } from '../../command/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';
import { runPlan } from '../plan-command.ts';

/** `berth compose pause`. */
export const command: ComposeCommand = {
  usage: '[SERVICE...]',
  short: 'Pause services',
  args: atLeast(0),
  async run(invocation) {
    const { args, compose } = invocation;
    const opened = await openNamed(invocation, args);
    await runPlan(invocation, opened, (context) =>
      pause(context, { services: args, resume: false, dryRun: compose.dryRun }),
    );
  },
};
