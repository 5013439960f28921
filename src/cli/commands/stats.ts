import type { ContainerStats } from '#api-types';
import type { Client } from '#client';
import { atLeast, type Command } from '../command/index.ts';
import { errorText } from '../error-text.ts';
import { flagTable } from '../flags/index.ts';
import { binarySize, humanSize, type Listing, renderListing, shortId } from '../format/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { formatHelp } from './ps.ts';

const flags = flagTable(`
  -a, --all             Show all containers, not only those that run
      --format string   ${formatHelp}
      --no-stream       Print one result and end
      --no-trunc        Do not cut long texts
`);

/** CPU use between the two samples of an answer, in percent of one CPU. */
function cpuPercent(stats: ContainerStats): number {
  const used = stats.cpu_stats.cpu_usage.total_usage - stats.precpu_stats.cpu_usage.total_usage;
  const system = (stats.cpu_stats.system_cpu_usage ?? 0) - (stats.precpu_stats.system_cpu_usage ?? 0);
  const cpus = stats.cpu_stats.online_cpus || stats.cpu_stats.cpu_usage.percpu_usage?.length || 0;
  return system > 0 && used > 0 ? (used / system) * cpus * 100 : 0;
}

/** Memory in use without what the page cache could give back; the counter's name tells cgroup v1 from v2. */
function memoryUsed(stats: ContainerStats): number {
  const { usage = 0, stats: detail = {} } = stats.memory_stats;
  const cache = detail.total_inactive_file ?? detail.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}

function statsRow(
  stats: ContainerStats | undefined,
  container: { id: string; name: string },
  full: boolean,
): TypedObject {
  const base = {
    [typeName]: '*container.statsContext',
    Container: container.name,
    ID: full ? container.id : shortId(container.id),
    Name: container.name,
  };
  if (stats === undefined) {
    return { ...base, CPUPerc: '--', MemUsage: '-- / --', MemPerc: '--', NetIO: '--', BlockIO: '--', PIDs: '--' };
  }
  const networks = Object.values(stats.networks ?? {});
  const sum = (key: 'rx_bytes' | 'tx_bytes') => networks.reduce((total, network) => total + network[key], 0);
  const blocks = stats.blkio_stats.io_service_bytes_recursive ?? [];
  const block = (letter: string) =>
    blocks
      .filter((entry) => entry.op.toLowerCase().startsWith(letter))
      .reduce((total, entry) => total + entry.value, 0);
  const used = memoryUsed(stats);
  const limit = stats.memory_stats.limit ?? 0;
  return {
    ...base,
    CPUPerc: `${cpuPercent(stats).toFixed(2)}%`,
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    MemPerc: `${(limit === 0 ? 0 : (used / limit) * 100).toFixed(2)}%`,
    NetIO: `${humanSize(sum('rx_bytes'), 3)} / ${humanSize(sum('tx_bytes'), 3)}`,
    BlockIO: `${humanSize(block('r'), 3)} / ${humanSize(block('w'), 3)}`,
    PIDs: String(stats.pids_stats.current ?? 0),
  };
}

const listing: Listing = {
  table: '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
  headers: {
    Container: 'CONTAINER',
    ID: 'CONTAINER ID',
    Name: 'NAME',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
};

async function firstSample(client: Client, id: string): Promise<ContainerStats | undefined> {
  for await (const stats of client.containers.stats(id, { stream: false })) return stats;
  return undefined;
}

interface Watched {
  readonly id: string;
  readonly name: string;
  stats?: ContainerStats;
  gone?: boolean;
}

/** Which containers to show: those named, or all of the list. Those that are not there are reported. */
async function selection(client: Client, names: readonly string[], all: boolean): Promise<Watched[]> {
  if (names.length === 0) {
    const containers = await client.containers.list({ all });
    return containers.map(({ Id: id, Names: given }) => ({ id, name: given[0]?.slice(1) ?? '' }));
  }
  return Promise.all(
    names.map(async (name) => {
      const { Id: id, Name: full } = await client.containers.inspect(name);
      return { id, name: full.slice(1) };
    }),
  );
}

/** `berth stats`. */
export const command: Command = {
  usage: '[OPTIONS] [CONTAINER...]',
  short: 'Show what containers use, live',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal, globals } = invocation;
    const client = await connectClient(invocation);
    const full = given.bool('no-trunc');
    const format = given.string('format') || (readConfigFile(globals.configDir).statsFormat ?? '');
    const watched = await selection(client, args, given.bool('all'));
    const render = () =>
      renderListing(
        watched.filter((one) => !one.gone).map((one) => statsRow(one.stats, one, full)),
        format,
        listing,
      );
    if (given.bool('no-stream')) {
      for (const [index, sample] of (await Promise.all(watched.map((one) => firstSample(client, one.id)))).entries()) {
        const one = watched[index];
        if (one && sample) one.stats = sample;
      }
      terminal.stdout.write(render());
      return;
    }
    const clear = terminal.stdout.isTTY ? '\x1b[H\x1b[J' : '';
    const follow = async (one: Watched): Promise<void> => {
      for await (const stats of client.containers.stats(one.id)) {
        one.stats = stats;
        // One redraw a second: the first container's samples set the beat.
        if (watched.find((other) => !other.gone) === one) terminal.stdout.write(clear + render());
      }
      one.gone = true;
    };
    if (watched.length === 0) terminal.stdout.write(render());
    await Promise.all(
      watched.map((one) => follow(one).catch((error: unknown) => terminal.stderr.write(errorText(error)))),
    );
  },
};
