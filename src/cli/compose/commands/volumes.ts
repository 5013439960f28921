import { labels } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { alignTabs } from '../../format/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';

const flags = flagTable(`
      --format string   Kind of output: 'table' or 'json' (default "table")
  -q, --quiet           Only names
`);

/** `berth compose volumes`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'List volumes',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const { context, client } = await openNamed(invocation, args);
    const { Volumes } = await client.volumes.list([`label=${labels.project}=${context.projectName}`]);
    const used = new Set(
      args.flatMap((service) =>
        (context.project?.services[service]?.volumes ?? []).flatMap(({ source }) =>
          source === undefined ? [] : [context.project?.volumes[source]?.name],
        ),
      ),
    );
    const shown = (Volumes ?? [])
      .filter(({ Name }) => args.length === 0 || used.has(Name))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1));
    if (given.bool('quiet')) terminal.stdout.write(shown.map(({ Name }) => `${Name}\n`).join(''));
    else if (given.string('format') === 'json') {
      terminal.stdout.write(shown.map((volume) => `${JSON.stringify(volume)}\n`).join(''));
    } else {
      const lines = shown.map(({ Driver, Name }) => `${Driver}\t${Name}`);
      terminal.stdout.write(`${alignTabs(['DRIVER\tVOLUME NAME', ...lines].join('\n'))}\n`);
    }
  },
};
