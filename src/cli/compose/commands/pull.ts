import { conflict, invalid, messageOf } from '#base';
import { imageName, selectServices } from '#compose';
import { atLeast, program } from '../../command/index.ts';
import { errorText } from '../../error-text.ts';
import { flagTable } from '../../flags/index.ts';
import { readImageName } from '../../progress/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { ClientImageSource } from '../image-source.ts';
import { openProject } from '../open-project.ts';

const flags = flagTable(`
      --ignore-buildable       Leave out images that can be built
      --ignore-pull-failures   Pull what can be pulled
      --include-deps           Also what the services depend on
      --policy string          Which images to pull ("missing"|"always")
  -q, --quiet                  Pull without showing progress
`);

/** `berth compose pull`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Pull the images of services',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, compose, terminal } = invocation;
    const policy = given.string('policy');
    if (!['', 'missing', 'always'].includes(policy)) throw invalid(`--policy value must be "missing" or "always"`);
    const { context, client } = await openProject(invocation, args);
    const { selected } = selectServices(context.project, args, !given.bool('include-deps'));
    const source = new ClientImageSource(client, invocation);
    const { reporter } = context;
    const done = new Map<string, Promise<void>>();
    const mustBuild: string[] = [];
    const results = await Promise.allSettled(
      [...selected].map(async (name) => {
        const service = context.project.services[name];
        if (service?.image === undefined) {
          if (service?.build !== undefined)
            reporter.status({ resource: name, text: 'Skipped - No image to be pulled', status: '', kind: 'warning' });
          return;
        }
        if (service.build !== undefined && given.bool('ignore-buildable')) {
          reporter.status({ resource: name, text: 'Skipped - Image can be built', status: '', kind: 'done' });
          return;
        }
        const image = imageName(context.project, service);
        const movable = (readImageName(image).tag ?? 'latest') === 'latest';
        if (
          policy === 'missing' &&
          !movable &&
          (await client.images.inspect(image).catch(() => undefined)) !== undefined
        ) {
          reporter.status({
            resource: name,
            text: 'Skipped - Image is already present locally',
            status: '',
            kind: 'done',
          });
          return;
        }
        reporter.status({ resource: name, text: 'Pulling', status: '', kind: 'working' });
        if (compose.dryRun) return;
        try {
          const pull =
            done.get(image) ??
            source.pull(image, { platform: service.platform, quiet: given.bool('quiet'), reporter, resource: name });
          done.set(image, pull);
          await pull;
          reporter.status({ resource: name, text: 'Pulled', status: '', kind: 'done' });
        } catch (error) {
          const message = messageOf(error);
          if (service.build === undefined) {
            reporter.status({ resource: name, text: 'Error', status: message, kind: 'error' });
          } else {
            mustBuild.push(name);
            reporter.status({ resource: name, text: 'Warning', status: message, kind: 'warning' });
          }
          if (!given.bool('ignore-pull-failures')) throw error;
        }
      }),
    );
    reporter.close();
    if (mustBuild.length > 0) {
      terminal.stderr.write(
        `WARNING: Some service image(s) must be built from source by running:\n    ${program} compose build ${mustBuild.join(' ')}\n`,
      );
    }
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1)
      throw conflict([...new Set(failures.map((error) => errorText(error).trimEnd()))].join('\n'));
  },
};
