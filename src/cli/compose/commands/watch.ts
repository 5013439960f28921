import { prepareWatch, up } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openProject } from '../open-project.ts';
import { runPlan } from '../plan-command.ts';
import { watchOptions } from '../watch-options.ts';

const flags = flagTable(`
      --no-up   Do not build and start services first
      --prune   Remove the images that a rebuild replaces (default true)
      --quiet   Build without showing output
`);

/** `berth compose watch`: until Ctrl-C; the services go on running. */
export const command: ComposeCommand = {
  usage: '[SERVICE...]',
  short: 'Watch the files that services are made of, and keep their containers in step',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal, compose } = invocation;
    const opened = await openProject(invocation, args);
    const { context, client } = opened;
    const stopping = new AbortController();
    const shared = watchOptions(invocation, client, {
      say: (text) => context.reporter.above(() => terminal.stdout.write(`${text}\n`)),
      output: (text) => context.reporter.above(() => terminal.stdout.write(text)),
      settled: () => context.reporter.close(),
    });
    const watch = await prepareWatch(context, {
      ...shared,
      services: args,
      build: true,
      quietBuild: given.bool('quiet'),
      prune: !given.changed('prune') || given.bool('prune'),
      signal: stopping.signal,
    });
    const stop = (): void => stopping.abort();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    try {
      if (!given.bool('no-up')) {
        await runPlan(invocation, opened, (inProject) =>
          up(
            { ...inProject, signal: stopping.signal },
            {
              services: args,
              images: {
                source: shared.source,
                build: 'always',
                quietPull: given.bool('quiet'),
                quietBuild: given.bool('quiet'),
              },
              recreate: 'diverged',
              recreateDependencies: 'never',
              noDeps: false,
              removeOrphans: false,
              ignoreOrphans: true,
              renewAnonymousVolumes: false,
              scale: {},
              start: true,
              wait: false,
              dryRun: compose.dryRun,
              confirmVolume: async () => false,
            },
          ),
        );
      }
      if (!compose.dryRun) await watch.run();
      return stopping.signal.aborted ? 130 : 0;
    } finally {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      context.reporter.close();
    }
  },
};
