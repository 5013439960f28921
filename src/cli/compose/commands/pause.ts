import { pause } from '#compose';
import { atLeast } from '../../command/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { runServicePlan } from '../plan-command.ts';

/** `berth compose pause`. */
export const command: ComposeCommand = {
  usage: '[SERVICE...]',
  short: 'Pause services',
  args: atLeast(0),
  async run(invocation) {
    await runServicePlan(invocation, (context, target) => pause(context, { ...target, resume: false }));
  },
};
