import type { ContainerSummary, PortSummary } from '#api-types';
import { invalid, notFound } from '#base';
import { labels } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { ago, ellipsis, goTime, type Listing, portsText, renderListing, shortId } from '../../format/index.ts';
import { type TypedObject, typeName } from '../../template/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';

const flags = flagTable(`
  -a, --all                  Also containers that do not run
      --filter string        Only those that match: status=...
      --format string        Kind of output: 'table', 'json', or a Go template (default "table")
      --no-trunc             Do not cut long texts
      --orphans              Also containers of services that the file does not have (default true)
  -q, --quiet                Only ids
      --services             Only the names of services
      --status stringArray   Only containers in a state (paused, restarting, removing, running, dead, created, exited)
`);

function quoted(text: string): string {
  return JSON.stringify(text);
}

function publishers(ports: readonly PortSummary[]) {
  return ports
    .map(({ IP = '', PrivatePort, PublicPort = 0, Type }) => ({
      URL: IP,
      TargetPort: PrivatePort,
      PublishedPort: PublicPort,
      Protocol: Type,
    }))
    .sort((a, b) => a.TargetPort - b.TargetPort || a.PublishedPort - b.PublishedPort || (a.URL < b.URL ? -1 : 1));
}

function row(summary: ContainerSummary, options: { noTrunc: boolean }): TypedObject {
  const name = summary.Names.map((one) => one.slice(1)).find((one) => !one.includes('/')) ?? '';
  const health = /\((?:health: )?(healthy|unhealthy|starting)\)/.exec(summary.Status)?.[1] ?? '';
  const exit = /^Exited \((\d+)\)/.exec(summary.Status)?.[1];
  const mounts = summary.Mounts ?? [];
  return {
    [typeName]: '*formatter.ContainerContext',
    Label: (key: string) => summary.Labels[key] ?? '',
    Command: options.noTrunc ? quoted(summary.Command) : quoted(ellipsis(summary.Command, 20)),
    CreatedAt: goTime(summary.Created),
    ExitCode: Number(exit ?? 0),
    Health: health,
    ID: options.noTrunc ? summary.Id : shortId(summary.Id),
    Image: summary.Image,
    Labels: Object.entries(summary.Labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    LocalVolumes: String(mounts.filter(({ Driver }) => Driver === 'local').length),
    Mounts: mounts.map(({ Name, Source }) => ellipsis(Name ?? Source, 15)).join(','),
    Name: name,
    Names: name,
    Networks: Object.keys(summary.NetworkSettings?.Networks ?? {}).join(','),
    Ports: portsText(summary.Ports),
    Project: summary.Labels[labels.project] ?? '',
    Publishers: publishers(summary.Ports),
    RunningFor: ago(summary.Created),
    Service: summary.Labels[labels.service] ?? '',
    Size: '0B',
    State: summary.State,
    Status: summary.Status,
  };
}

const headers: Listing['headers'] = {
  Name: 'NAME',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  Service: 'SERVICE',
  RunningFor: 'CREATED',
  CreatedAt: 'CREATED AT',
  Status: 'STATUS',
  Ports: 'PORTS',
  ID: 'CONTAINER ID',
  Project: 'PROJECT',
  State: 'STATE',
  Health: 'HEALTH',
  Labels: 'LABELS',
  Networks: 'NETWORKS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Publishers: 'PUBLISHERS',
  ExitCode: 'EXIT CODE',
  Size: 'SIZE',
};

const defaultTable = '{{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}';

function statuses(values: readonly string[], filter: string): string[] {
  const wanted = [...values];
  if (filter !== '') {
    const match = /^([^=]+)=(.*)$/.exec(filter);
    if (!match) throw invalid('arguments to --filter should be in form KEY=VAL');
    if (match[1] !== 'status') throw invalid(`unknown filter ${match[1]}`);
    wanted.push(match[2] ?? '');
  }
  return wanted;
}

/** `berth compose ps`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'List containers',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const wanted = statuses(given.list('status'), given.string('filter'));
    const { context, client } = await openNamed(invocation, args);
    const all = given.bool('all') || wanted.length > 0;
    const listed = await client.containers.list({
      all,
      filters: [
        `label=${labels.project}=${context.projectName}`,
        `label=${labels.configHash}`,
        ...(given.bool('all') ? [] : [`label=${labels.oneOff}=False`]),
      ],
    });
    const orphans = !given.changed('orphans') || given.bool('orphans');
    const known = (service: string): boolean =>
      context.project === undefined ||
      context.project.services[service] !== undefined ||
      context.project.disabledServices[service] !== undefined;
    const chosen = listed.filter(({ Labels, State }) => {
      const service = Labels[labels.service] ?? '';
      if (args.length > 0 && !args.includes(service)) return false;
      if (!orphans && !known(service)) return false;
      return wanted.length === 0 || wanted.includes(State);
    });
    const rows = chosen
      .map((summary) => row(summary, { noTrunc: given.bool('no-trunc') }))
      .sort((a, b) => (String(a.Name) < String(b.Name) ? -1 : 1));
    if (given.bool('quiet')) {
      terminal.stdout.write(chosen.map(({ Id }) => `${Id}\n`).join(''));
      return;
    }
    if (given.bool('services')) {
      const names = [...new Set(rows.map(({ Service }) => String(Service)))];
      terminal.stdout.write(names.map((name) => `${name}\n`).join(''));
      return;
    }
    for (const name of args) if (!known(name)) throw notFound(`no such service: ${name}`);
    terminal.stdout.write(renderListing(rows, given.string('format'), { table: defaultTable, headers }));
  },
};
