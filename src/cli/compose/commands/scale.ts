import { up } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { lazyImageSource } from '../lazy-image-source.ts';
import { openProject } from '../open-project.ts';
import { runPlan } from '../plan-command.ts';
import { readScale } from '../up-options.ts';

/** `berth compose scale`. */
export const command: ComposeCommand = {
  usage: '[SERVICE=REPLICAS...]',
  short: 'Change the number of containers of services',
  flags: flagTable('      --no-deps   Leave the services that these depend on alone'),
  args: atLeast(1),
  async run(invocation) {
    const scale = readScale(invocation.args);
    const services = Object.keys(scale);
    const opened = await openProject(invocation, services);
    await runPlan(invocation, opened, (context) =>
      up(context, {
        services,
        scale,
        images: {
          source: lazyImageSource(opened.client, invocation),
          build: 'missing',
          quietPull: false,
          quietBuild: false,
        },
        recreate: 'diverged',
        recreateDependencies: 'diverged',
        noDeps: invocation.flags.bool('no-deps'),
        removeOrphans: false,
        ignoreOrphans: true,
        renewAnonymousVolumes: false,
        start: true,
        wait: false,
        dryRun: invocation.compose.dryRun,
        confirmVolume: async () => false,
      }),
    );
  },
};
