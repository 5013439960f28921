import { notFound } from '#base';
import { containersOfServices, down, observeContainers } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';

/** `berth compose wait`: prints the exit code of each container; the first is the command's own. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE [SERVICE...]',
  short: 'Wait until containers of services end',
  flags: flagTable('      --down-project   Take the project down when the first container ends'),
  args: atLeast(1),
  async run(invocation) {
    const { args, terminal, flags } = invocation;
    const { context, client } = await openNamed(invocation);
    const containers = containersOfServices(await observeContainers(client, context.projectName), args).filter(
      ({ state }) => state === 'running' || state === 'restarting' || state === 'paused',
    );
    if (containers.length === 0) throw notFound(`no containers for project "${context.projectName}"`);
    let first: number | undefined;
    const waits = containers.map(async ({ id }) => {
      const { result } = await client.containers.wait(id);
      const { StatusCode } = await result;
      first ??= StatusCode;
      terminal.stdout.write(`container "${id}" exited with status code ${StatusCode}\n`);
    });
    if (flags.bool('down-project')) {
      await Promise.race(waits);
      await down(context, { services: [], removeOrphans: true, volumes: false, images: 'none', dryRun: false });
    }
    await Promise.all(waits);
    context.reporter.close();
    return first ?? 0;
  },
};
