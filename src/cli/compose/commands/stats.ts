import { containersOfServices, observeContainers } from '#compose';
import { atMost } from '../../command/index.ts';
import { command as stats } from '../../commands/stats.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';
import { passedFlags, useDockerCommand } from '../use-docker-command.ts';

const flags = flagTable(`
  -a, --all             Also containers that do not run
      --format string   Kind of output: 'table', 'json', or a Go template
      --no-stream       Print one result and end
      --no-trunc        Do not cut long texts
`);

/** `berth compose stats`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE]',
  short: 'Show what containers use, live',
  flags,
  args: atMost(1),
  async run(invocation) {
    const { context } = await openNamed(invocation);
    const containers = await observeContainers(context.client, context.projectName);
    const ids = containersOfServices(containers, invocation.args)
      .filter(({ state }) => invocation.flags.bool('all') || state === 'running')
      .map(({ name }) => name);
    if (ids.length === 0) return;
    return useDockerCommand(invocation, stats, [
      ...passedFlags(invocation, ['format', 'no-stream', 'no-trunc']),
      ...ids,
    ]);
  },
};
