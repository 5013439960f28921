import { up } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openProject } from '../open-project.ts';
import { runPlan } from '../plan-command.ts';
import { createFlags, createOptions } from '../up-options.ts';

/** `berth compose create`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Create the containers of services',
  flags: flagTable(createFlags),
  args: atLeast(0),
  async run(invocation) {
    const opened = await openProject(invocation, invocation.args, {
      lock: invocation.flags.bool('locked') ? 'insist' : 'heed',
    });
    await runPlan(invocation, opened, (context) =>
      up(context, {
        ...createOptions(invocation, opened.client),
        recreateDependencies: 'diverged',
        noDeps: false,
        renewAnonymousVolumes: false,
        start: false,
        wait: false,
      }),
    );
  },
};
