import { conflict, messageOf } from '#base';
import { imageName, selectServices } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { readConfigFile } from '../../host/index.ts';
import { credentialsFor, discard, readImageName, registryKey, renderProgress } from '../../progress/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openProject } from '../open-project.ts';
import { warningsOnly } from '../status-reporter.ts';

const flags = flagTable(`
      --ignore-push-failures   Push what can be pushed
      --include-deps           Also what the services depend on
  -q, --quiet                  Push without showing progress
`);

/** `berth compose push`: the images of services that are built. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Push the images of services',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, compose, globals } = invocation;
    const { context, client } = await openProject(invocation, args, { lock: 'ignore' });
    const { selected } = selectServices(context.project, args, !given.bool('include-deps'));
    const reporter = given.bool('quiet') ? warningsOnly(context.reporter) : context.reporter;
    const failures: unknown[] = [];
    for (const name of selected) {
      const service = context.project.services[name];
      if (service?.build === undefined || service.image === undefined) {
        reporter.status({ resource: name, text: 'Skipped', status: '', kind: 'warning' });
        continue;
      }
      reporter.status({ resource: name, text: 'Pushing', status: '', kind: 'working' });
      if (compose.dryRun) continue;
      for (const image of [imageName(context.project, service), ...(service.build.tags ?? [])]) {
        const reference = readImageName(image);
        const auth = await credentialsFor(readConfigFile(globals.configDir), registryKey(reference.registry));
        try {
          const tag = reference.tag ?? 'latest';
          await renderProgress(client.images.push(reference.familiar, { tag, ...(auth ? { auth } : {}) }), discard());
          reporter.status({ resource: name, text: 'Pushed', status: '', kind: 'done' });
        } catch (error) {
          reporter.status({ resource: name, text: 'Error', status: messageOf(error), kind: 'error' });
          if (!given.bool('ignore-push-failures')) failures.push(error);
        }
      }
    }
    context.reporter.close();
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw conflict([...new Set(failures.map(messageOf))].join('\n'));
  },
};
