import { createInterface } from 'node:readline/promises';
import { remove, stop, stoppedContainers } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';
import { runPlan } from '../plan-command.ts';

const flags = flagTable(`
  -f, --force     Do not ask
  -s, --stop      Stop the containers first
  -v, --volumes   Remove their anonymous volumes, too
`);

/** `berth compose rm`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Remove stopped containers of services',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { args, compose, flags: given, terminal } = invocation;
    const opened = await openNamed(invocation, args);
    const { context } = opened;
    if (given.bool('stop')) {
      await runPlan(invocation, opened, () => stop(context, { services: args, dryRun: compose.dryRun }));
    }
    const containers = await stoppedContainers(context, args);
    if (containers.length === 0) {
      terminal.stderr.write('No stopped containers\n');
      return;
    }
    const names = containers.map(({ name }) => name).join(', ');
    if (given.bool('force')) terminal.stdout.write(`Going to remove ${names}\n`);
    else {
      const prompt = createInterface({ input: terminal.stdin, output: terminal.stderr });
      const answer = await prompt.question(`? Going to remove ${names} (y/N) `);
      prompt.close();
      if (!/^y(es)?$/i.test(answer.trim())) return;
    }
    await runPlan(invocation, opened, () =>
      remove(context, { containers, volumes: given.bool('volumes'), dryRun: compose.dryRun }),
    );
  },
};
