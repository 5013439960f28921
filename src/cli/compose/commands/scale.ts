import { invalid } from '#base';
import { up } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { lazyImageSource } from '../lazy-image-source.ts';
import { openProject } from '../open-project.ts';
import { runPlan } from '../plan-command.ts';

/** Reads SERVICE=REPLICAS words. Throws `invalid` with docker compose's texts. */
function readReplicas(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word): [string, number] => {
      const equals = word.indexOf('=');
      const [name, count] = [word.slice(0, equals), word.slice(equals + 1)];
      if (equals <= 0 || count === '') throw invalid(`invalid scale specifier: ${word}`);
      if (!/^\d+$/.test(count)) {
        throw invalid(`invalid scale specifier: can't parse replica value as int: ${word}`);
      }
      return [name, Number(count)];
    }),
  );
}

/** `berth compose scale`. */
export const command: ComposeCommand = {
  usage: '[SERVICE=REPLICAS...]',
  short: 'Change the number of containers of services',
  flags: flagTable('      --no-deps   Leave the services that these depend on alone'),
  args: atLeast(1),
  async run(invocation) {
    const scale = readReplicas(invocation.args);
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
