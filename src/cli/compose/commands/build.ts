import { invalid } from '#base';
import { buildImages, selectServices, withBuildDependencies } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { buildArguments, ClientImageSource, memoryFlag } from '../image-source.ts';
import { openProject } from '../open-project.ts';
import { warningsOnly } from '../status-reporter.ts';

const flags = flagTable(`
      --build-arg stringArray   Set build-time variables
      --builder string          !
      --check                   !
  -m, --memory bytes            Memory limit of the build containers
      --no-cache                Do not use the cache
      --print                   Print the builds as a file of buildx bake, and build nothing
      --provenance string       !
      --pull                    Always look for a newer version of the base images
      --push                    Push the images when they are built
  -q, --quiet                   Print nothing
      --sbom string             !
      --ssh string              Give the builds an ssh agent: 'default', or ID=SOCKET
      --with-dependencies       Also what the services depend on
`);

/** `berth compose build`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Build or rebuild services',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, compose, terminal } = invocation;
    if (given.changed('check')) throw invalid('--check cannot be used with this builder');
    const { context, client } = await openProject(invocation, args);
    const { selected } = selectServices(context.project, args, !given.bool('with-dependencies'));
    const services = [...selected].flatMap((name) => context.project.services[name] ?? []);
    const buildable = withBuildDependencies(
      context.project,
      services.filter(({ build }) => build !== undefined),
    );
    if (given.bool('print')) {
      const { bakeDocument } = await import('../bake-document.ts');
      const document = bakeDocument(context.project, {
        targets: buildable.map(({ name }) => name),
        args: buildArguments(invocation),
        noCache: given.bool('no-cache'),
        pull: given.bool('pull'),
        push: given.bool('push'),
      });
      terminal.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
      return;
    }
    if (buildable.length === 0) {
      context.reporter.close();
      return;
    }
    if (compose.dryRun) {
      for (const { name } of buildable)
        context.reporter.status({ resource: name, status: 'Building', kind: 'working' });
      context.reporter.close();
      return;
    }
    const quiet = given.bool('quiet');
    await buildImages(quiet ? { ...context, reporter: warningsOnly(context.reporter) } : context, buildable, {
      source: new ClientImageSource(client, invocation),
      quiet,
      noCache: given.bool('no-cache'),
      pull: given.bool('pull'),
      args: buildArguments(invocation),
      ...memoryFlag(invocation),
      ...(given.changed('ssh') ? { ssh: given.string('ssh') || 'default' } : {}),
    });
    context.reporter.close();
    if (given.bool('push')) {
      const { command: push } = await import('./push.ts');
      const { parseFlags } = await import('../../flags/index.ts');
      const parsed = parseFlags([], { specs: push.flags ?? [] });
      await push.run({ ...invocation, flags: parsed.values });
    }
  },
};
