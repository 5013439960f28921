import type { ContainerSummary } from '#api-types';
import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { ago, ellipsis, goTime, humanSize, type Listing, renderListing, shortId } from '../format/index.ts';
import { portsText } from '../format/ports.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';

/** Text of `--format` in the help of every list. */
export const formatHelp = "'table', 'table TEMPLATE', 'json', or a Go TEMPLATE (default 'table')";

function labelsText(labels: Record<string, string> | null): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function namesOf(container: ContainerSummary, full: boolean): string {
  const names = container.Names.map((name) => name.replace(/^\//, ''));
  return (full ? names : names.filter((name) => !name.includes('/'))).join(',');
}

function mountsText(container: ContainerSummary, full: boolean): string {
  return container.Mounts.map((mount) => {
    const name = mount.Name || mount.Source;
    return full ? name : ellipsis(name, 15);
  }).join(',');
}

function imageText(container: ContainerSummary, full: boolean): string {
  if (container.Image === '') return '<no image>';
  if (full) return container.Image;
  if (container.ImageID.startsWith(container.Image) || container.ImageID.slice(7).startsWith(container.Image)) {
    return shortId(container.Image);
  }
  const at = container.Image.indexOf('@');
  return at === -1 ? container.Image : container.Image.slice(0, at);
}

function sizeText(container: ContainerSummary): string {
  const written = humanSize(container.SizeRw ?? 0, 3);
  const root = container.SizeRootFs ?? 0;
  return root > 0 ? `${written} (virtual ${humanSize(root, 3)})` : written;
}

/** A container as the rows of `ps` show it. */
export function containerRow(container: ContainerSummary, full: boolean): TypedObject {
  const command = full ? container.Command : ellipsis(container.Command, 20);
  return {
    [typeName]: '*formatter.ContainerContext',
    ID: full ? container.Id : shortId(container.Id),
    Names: namesOf(container, full),
    Image: imageText(container, full),
    Command: JSON.stringify(command),
    CreatedAt: goTime(container.Created),
    RunningFor: ago(container.Created),
    Ports: portsText(container.Ports),
    State: container.State,
    Status: container.Status,
    Size: sizeText(container),
    Labels: labelsText(container.Labels),
    Label: (name: string) => container.Labels?.[name] ?? '',
    Mounts: mountsText(container, full),
    LocalVolumes: String(container.Mounts.filter((mount) => mount.Driver === 'local').length),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {}).join(','),
    Platform: null,
  };
}

/** A container without properties: what a template is tried on where there is none to show. */
const nobody: ContainerSummary = {
  Id: '',
  Names: [],
  Image: '',
  ImageID: '',
  Command: '',
  Created: 0,
  Ports: [],
  Labels: {},
  State: 'created',
  Status: '',
  HostConfig: { NetworkMode: '' },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};

const flags = flagTable(`
  -a, --all             Show all containers, not only those that run
  -f, --filter filter   Show only what matches a condition, KEY=VALUE
      --format string   ${formatHelp}
  -n, --last int        Show the n containers created last, in any state (default -1)
  -l, --latest          Show the container created last, in any state
      --no-trunc        Do not cut long texts
  -q, --quiet           Print ids only
  -s, --size            Show sizes of files
`);

/** How the list of containers looks. */
export function containerListing(options: { size: boolean; quiet: boolean }): Listing {
  const size = options.size ? '\t{{.Size}}' : '';
  return {
    table: `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${size}`,
    quietTable: '{{.ID}}',
    rawQuiet: 'container_id: {{.ID}}',
    raw: `container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n${options.size ? 'size: {{.Size}}\n' : ''}`,
    quiet: options.quiet,
    sample: containerRow(nobody, false),
    headers: {
      ID: 'CONTAINER ID',
      Names: 'NAMES',
      Image: 'IMAGE',
      Command: 'COMMAND',
      CreatedAt: 'CREATED AT',
      RunningFor: 'CREATED',
      Ports: 'PORTS',
      State: 'STATE',
      Status: 'STATUS',
      Size: 'SIZE',
      Labels: 'LABELS',
      Mounts: 'MOUNTS',
      LocalVolumes: 'LOCAL VOLUMES',
      Networks: 'NETWORKS',
      Platform: 'PLATFORM',
    },
  };
}

/** `berth ps`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'List containers',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal, globals } = invocation;
    const client = await connectClient(invocation);
    const format =
      given.string('format') || (given.bool('quiet') ? '' : (readConfigFile(globals.configDir).psFormat ?? ''));
    const limit = given.bool('latest') && !given.changed('last') ? 1 : given.number('last', -1);
    const size = given.bool('size') || /\.Size\b/.test(format);
    const containers = await client.containers.list({
      all: given.bool('all') || limit > 0,
      ...(limit > 0 ? { limit } : {}),
      size,
      filters: given.list('filter'),
    });
    const rows = containers.map((container) => containerRow(container, given.bool('no-trunc')));
    terminal.stdout.write(
      renderListing(rows, format, containerListing({ size: given.bool('size'), quiet: given.bool('quiet') })),
    );
  },
};
