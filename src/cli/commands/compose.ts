import { atLeast, type Command } from '../command/index.ts';
import { composeFlags } from '../compose/compose-flags.ts';

/** `berth compose`. */
export const command: Command = {
  usage: '[OPTIONS] COMMAND',
  short: 'Define and run applications of several containers',
  flags: composeFlags,
  args: atLeast(0),
  interspersed: false,
  flagErrorCode: 1,
  async run(invocation) {
    const { runCompose } = await import('../compose/run-compose.ts');
    return runCompose(invocation);
  },
};
