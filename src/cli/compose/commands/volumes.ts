import { labels } from '#compose';
import { atLeast } from '../../command/index.ts';
import { volumeListing, volumeRow } from '../../commands/volume-ls.ts';
import { flagTable } from '../../flags/index.ts';
import { renderListing } from '../../format/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';

const flags = flagTable(`
      --format string   Kind of output: 'table', 'json', or a Go template (default "table")
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
    else {
      const listing = volumeListing('{{.Driver}}\t{{.Name}}', false);
      terminal.stdout.write(renderListing(shown.map(volumeRow), given.string('format'), listing));
    }
  },
};
