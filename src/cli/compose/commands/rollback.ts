import { rollBackProject } from '#compose';
import { atMost } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';
import { runPlan, timeoutFlag } from '../plan-command.ts';
import { plainOptions } from '../up-options.ts';

const flags = flagTable(`
      --remove-orphans     Remove containers of services that the revision does not have
  -t, --timeout int        Seconds until a container that is stopped is killed
      --wait-timeout int   Most seconds to wait
`);

/** `berth compose rollback`: waits until what it went back to runs. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [REVISION]',
  short: 'Bring the project back to an earlier revision',
  flags,
  args: atMost(1),
  async run(invocation) {
    const opened = await openNamed(invocation);
    const [wanted] = invocation.args;
    const options = plainOptions(invocation, opened.client);
    await runPlan(invocation, opened, async (context) => {
      const { plan, number } = await rollBackProject(context, wanted, {
        ...options,
        removeOrphans: options.removeOrphans || invocation.flags.bool('remove-orphans'),
        wait: true,
        waitTimeout: timeoutFlag(invocation, 'wait-timeout'),
        timeout: timeoutFlag(invocation),
      });
      if (!invocation.compose.dryRun) invocation.terminal.stderr.write(`Back to revision ${number}\n`);
      return plan;
    });
  },
};
