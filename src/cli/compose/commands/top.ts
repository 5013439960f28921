import { containersOfServices, observeContainers } from '#compose';
import { atLeast } from '../../command/index.ts';
import { alignTabs } from '../../format/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';

/** `berth compose top`. */
export const command: ComposeCommand = {
  usage: '[SERVICES...]',
  short: 'Show the processes of containers',
  args: atLeast(0),
  async run(invocation) {
    const { args, terminal } = invocation;
    const { context, client } = await openNamed(invocation);
    const containers = containersOfServices(await observeContainers(client, context.projectName), args).filter(
      ({ state }) => state === 'running',
    );
    const tables = await Promise.all(containers.map(({ id }) => client.containers.top(id, '')));
    const lines: string[] = [];
    for (const [index, { Titles, Processes }] of tables.entries()) {
      const container = containers[index];
      if (lines.length === 0) lines.push(['SERVICE', '#', ...Titles].join('\t'));
      for (const process of Processes) lines.push([container?.service, container?.number, ...process].join('\t'));
    }
    if (lines.length > 0) terminal.stdout.write(`${alignTabs(lines.join('\n'), { minWidth: 4, padding: 2 })}\n`);
  },
};
