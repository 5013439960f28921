import { pause } from '#compose';
import { atLeast } from '../../command/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';
import { runPlan } from '../plan-command.ts';

/** `berth compose unpause`. */
export const command: ComposeCommand = {
  usage: '[SERVICE...]',
  short: 'Let paused services go on',
  args: atLeast(0),
  async run(invocation) {
    const { args, compose } = invocation;
    const opened = await openNamed(invocation, args);
    await runPlan(invocation, opened, (context) =>
      pause(context, { services: args, resume: true, dryRun: compose.dryRun }),
    );
  },
};
