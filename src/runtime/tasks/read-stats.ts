import { notFound } from '#base';
import type { Cgroup } from '#host';
import type { TaskStats } from '../runtime.ts';
import type { MachineCounters } from './machine-counters.ts';

/** v1 writes "no limit" as the largest page-aligned long; such a number is past what JSON carries exactly. */
const unlimited = Number.MAX_SAFE_INTEGER;

/**
 * Reads the cgroup's counters, without the thread pool: about a dozen files of a few microseconds each. Throws
 * `not-found` when it is gone. A controller that is off counts as zeros.
 */
export function readStats(cgroup: Cgroup, counters: MachineCounters): TaskStats {
  const machine = counters.read();
  const cpu = cgroup.unified ? readCpuV2(cgroup) : readCpuV1(cgroup);
  const memory = cgroup.unified ? readMemoryV2(cgroup, machine.memory) : readMemoryV1(cgroup, machine.memory);
  if (cpu === undefined && memory === undefined && cgroup.readNow('pids', 'pids.max') === undefined) {
    throw notFound(`cgroup ${cgroup.path} is gone: the container does not run`);
  }
  return {
    readAt: Date.now(),
    cpu: { ...(cpu ?? noCpu), systemNs: machine.systemNs, online: machine.online },
    memory: memory ?? { usage: 0, maxUsage: 0, limit: machine.memory, failures: 0, stats: {} },
    pids: readPids(cgroup),
    blockIo: cgroup.unified ? readBlockIoV2(cgroup) : readBlockIoV1(cgroup),
  };
}

type Cpu = Omit<TaskStats['cpu'], 'systemNs' | 'online'>;

const noCpu: Cpu = {
  totalNs: 0,
  userNs: 0,
  kernelNs: 0,
  perCpuNs: [],
  periods: 0,
  throttledPeriods: 0,
  throttledNs: 0,
};

function readCpuV1(cgroup: Cgroup): Cpu | undefined {
  const precise = cgroup.readNow('cpuacct', 'cpuacct.usage_percpu');
  if (precise === undefined) return undefined;
  const perCpuNs = precise.split(' ').map(Number).slice(0, -1);
  let userNs = 0;
  let kernelNs = 0;
  // A heading, then `CPU USER SYSTEM` for each that there could be.
  for (const line of cgroup.readNow('cpuacct', 'cpuacct.usage_all')?.split('\n').slice(1) ?? []) {
    const [, user = 0, kernel = 0] = line.split(' ').map(Number);
    userNs += user;
    kernelNs += kernel;
  }
  const throttling = table(cgroup.readNow('cpu', 'cpu.stat'));
  return {
    totalNs: perCpuNs.reduce((sum, one) => sum + one, 0),
    userNs,
    kernelNs,
    perCpuNs,
    periods: throttling.nr_periods ?? 0,
    throttledPeriods: throttling.nr_throttled ?? 0,
    throttledNs: throttling.throttled_time ?? 0,
  };
}

function readCpuV2(cgroup: Cgroup): Cpu | undefined {
  const text = cgroup.readNow('cpu', 'cpu.stat');
  if (text === undefined) return undefined;
  const counters = table(text);
  return {
    totalNs: (counters.usage_usec ?? 0) * 1000,
    userNs: (counters.user_usec ?? 0) * 1000,
    kernelNs: (counters.system_usec ?? 0) * 1000,
    perCpuNs: [],
    periods: counters.nr_periods ?? 0,
    throttledPeriods: counters.nr_throttled ?? 0,
    throttledNs: (counters.throttled_usec ?? 0) * 1000,
  };
}

function readMemoryV1(cgroup: Cgroup, machine: number): TaskStats['memory'] | undefined {
  const usage = cgroup.readNow('memory', 'memory.usage_in_bytes');
  if (usage === undefined) return undefined;
  const stats = table(cgroup.readNow('memory', 'memory.stat'));
  return {
    usage: number(usage),
    maxUsage: number(cgroup.readNow('memory', 'memory.max_usage_in_bytes')),
    // The least of its own and of those above it, without a file of its own.
    limit: Math.min(stats.hierarchical_memory_limit ?? unlimited, machine),
    failures: number(cgroup.readNow('memory', 'memory.failcnt')),
    stats,
  };
}

function readMemoryV2(cgroup: Cgroup, machine: number): TaskStats['memory'] | undefined {
  const usage = cgroup.readNow('memory', 'memory.current');
  if (usage === undefined) return undefined;
  return {
    usage: number(usage),
    maxUsage: number(cgroup.readNow('memory', 'memory.peak')),
    // No limit means the machine's memory, as Docker has it: a percentage of it makes sense.
    limit: Math.min(number(cgroup.readNow('memory', 'memory.max')), machine),
    // As Docker has it on v2: how often the limit was hit so that the killer had to come.
    failures: table(cgroup.readNow('memory', 'memory.events')).oom ?? 0,
    stats: table(cgroup.readNow('memory', 'memory.stat')),
  };
}

function readPids(cgroup: Cgroup): TaskStats['pids'] {
  const current = cgroup.readNow('pids', 'pids.current');
  const limit = cgroup.readNow('pids', 'pids.max');
  // Zero is Docker's word for "no limit" here.
  return { current: number(current), limit: limit?.trim() === 'max' ? 0 : number(limit) };
}

function readBlockIoV1(cgroup: Cgroup): TaskStats['blockIo'] {
  const bytes = cgroup.readNow('blkio', 'blkio.throttle.io_service_bytes_recursive');
  const operations = cgroup.readNow('blkio', 'blkio.throttle.io_serviced_recursive');
  const counts = new Map((operations ?? '').split('\n').map((line) => [line.slice(0, line.lastIndexOf(' ')), line]));
  return (bytes ?? '').split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
    if (!match) return [];
    const [, major, minor, op = '', value] = match;
    const count = counts.get(`${major}:${minor} ${op}`)?.split(' ')[2];
    return [
      {
        major: Number(major),
        minor: Number(minor),
        op: op.toLowerCase(),
        bytes: Number(value),
        operations: Number(count ?? 0),
      },
    ];
  });
}

function readBlockIoV2(cgroup: Cgroup): TaskStats['blockIo'] {
  const text = cgroup.readNow('io', 'io.stat') ?? '';
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (.*)$/.exec(line);
    if (!match) return [];
    const device = { major: Number(match[1]), minor: Number(match[2]) };
    const counters = Object.fromEntries((match[3] ?? '').split(' ').map((pair) => pair.split('=')));
    return [
      { ...device, op: 'read', bytes: Number(counters.rbytes ?? 0), operations: Number(counters.rios ?? 0) },
      { ...device, op: 'write', bytes: Number(counters.wbytes ?? 0), operations: Number(counters.wios ?? 0) },
    ];
  });
}

function number(text: string | undefined): number {
  if (text === undefined) return 0;
  if (text.trim() === 'max') return unlimited;
  return Math.min(Number(text), unlimited);
}

/** `name value` lines. */
function table(text = ''): Record<string, number> {
  const counters: Record<string, number> = {};
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    const space = text.indexOf(' ', start);
    if (space > start && space < end) counters[text.slice(start, space)] = number(text.slice(space + 1, end));
    start = end + 1;
  }
  return counters;
}
