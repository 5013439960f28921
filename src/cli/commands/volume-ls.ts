import type { Volume } from '#api-types';
import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { humanSize, type Listing, renderListing } from '../format/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { formatHelp } from './ps.ts';

const flags = flagTable(`
      --cluster         !
  -f, --filter filter   Show only what matches a condition, KEY=VALUE
      --format string   ${formatHelp}
  -q, --quiet           Print names only
`);

/** A volume as the rows of lists show it. */
export function volumeRow(volume: Volume): TypedObject {
  return {
    [typeName]: '*formatter.volumeContext',
    Name: volume.Name,
    Driver: volume.Driver,
    Scope: volume.Scope,
    Mountpoint: volume.Mountpoint,
    Labels: Object.entries(volume.Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (name: string) => volume.Labels?.[name] ?? '',
    Links: volume.UsageData === undefined ? 'N/A' : String(volume.UsageData.RefCount),
    Size: volume.UsageData === undefined ? 'N/A' : humanSize(volume.UsageData.Size),
    Availability: 'N/A',
    Group: 'N/A',
    Status: 'N/A',
  };
}

const headers: Listing['headers'] = {
  Name: 'VOLUME NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  Mountpoint: 'MOUNTPOINT',
  Labels: 'LABELS',
  Links: 'LINKS',
  Size: 'SIZE',
  Availability: 'AVAILABILITY',
  Group: 'GROUP',
  Status: 'STATUS',
};

/** How a list of volumes looks with the columns of `table`. */
export function volumeListing(table: string, quiet: boolean): Listing {
  return {
    table,
    quietTable: '{{.Name}}',
    rawQuiet: 'name: {{.Name}}',
    raw: 'name: {{.Name}}\ndriver: {{.Driver}}\n',
    quiet,
    headers,
  };
}

/** `berth volume ls`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'List volumes',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal, globals } = invocation;
    const client = await connectClient(invocation);
    const { Volumes: volumes } = await client.volumes.list(given.list('filter'));
    const quiet = given.bool('quiet');
    const format = given.string('format') || (quiet ? '' : (readConfigFile(globals.configDir).volumesFormat ?? ''));
    const sorted = [...(volumes ?? [])].sort((a, b) => (a.Name < b.Name ? -1 : 1));
    terminal.stdout.write(renderListing(sorted.map(volumeRow), format, volumeListing('{{.Driver}}\t{{.Name}}', quiet)));
  },
};
