import { totalmem } from 'node:os';
import { notFound } from '#base';
import type { Cgroup } from '#host';
import type { TaskStats } from '../runtime.ts';
import type { MachineCpu } from './machine-cpu.ts';

/** v1 writes "no limit" as the largest page-aligned long; such a number is past what JSON carries exactly. */
const unlimited = Number.MAX_SAFE_INTEGER;

/**
 * Reads the cgroup's counters, without the thread pool: about 15 files of a few microseconds each. Throws `not-found`
 * when it is gone. A controller that is off counts as zeros.
 */
export function readStats(cgroup: Cgroup, machine: MachineCpu): TaskStats {
  if (cgroup.readNow('pids', 'cgroup.procs') === undefined && cgroup.readNow('memory', 'cgroup.procs') === undefined) {
    throw notFound(`cgroup ${cgroup.path} is gone: the container does not run`);
  }
  const { unified } = cgroup;
  return {
    readAt: Date.now(),
    cpu: { ...(unified ? readCpuV2(cgroup) : readCpuV1(cgroup)), ...machine.read() },
    memory: unified ? readMemoryV2(cgroup) : readMemoryV1(cgroup),
    pids: readPids(cgroup),
    blockIo: unified ? readBlockIoV2(cgroup) : readBlockIoV1(cgroup),
  };
}

type Cpu = Omit<TaskStats['cpu'], 'systemNs' | 'online'>;

function readCpuV1(cgroup: Cgroup): Cpu {
  const usage = cgroup.readNow('cpuacct', 'cpuacct.usage');
  const perCpu = cgroup.readNow('cpuacct', 'cpuacct.usage_percpu');
  const user = cgroup.readNow('cpuacct', 'cpuacct.usage_user');
  const kernel = cgroup.readNow('cpuacct', 'cpuacct.usage_sys');
  const throttling = cgroup.readNow('cpu', 'cpu.stat');
  const counters = table(throttling);
  return {
    totalNs: number(usage),
    userNs: number(user),
    kernelNs: number(kernel),
    perCpuNs: (perCpu ?? '').split(/\s+/).filter(Boolean).map(Number),
    periods: counters.nr_periods ?? 0,
    throttledPeriods: counters.nr_throttled ?? 0,
    throttledNs: counters.throttled_time ?? 0,
  };
}

function readCpuV2(cgroup: Cgroup): Cpu {
  const counters = table(cgroup.readNow('cpu', 'cpu.stat'));
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

function readMemoryV1(cgroup: Cgroup): TaskStats['memory'] {
  const usage = cgroup.readNow('memory', 'memory.usage_in_bytes');
  const peak = cgroup.readNow('memory', 'memory.max_usage_in_bytes');
  const limit = cgroup.readNow('memory', 'memory.limit_in_bytes');
  const failures = cgroup.readNow('memory', 'memory.failcnt');
  const stat = cgroup.readNow('memory', 'memory.stat');
  return {
    usage: number(usage),
    maxUsage: number(peak),
    limit: memoryLimit(limit),
    failures: number(failures),
    stats: table(stat),
  };
}

function readMemoryV2(cgroup: Cgroup): TaskStats['memory'] {
  const usage = cgroup.readNow('memory', 'memory.current');
  const peak = cgroup.readNow('memory', 'memory.peak');
  const limit = cgroup.readNow('memory', 'memory.max');
  const events = cgroup.readNow('memory', 'memory.events');
  const stat = cgroup.readNow('memory', 'memory.stat');
  return {
    usage: number(usage),
    maxUsage: number(peak),
    limit: memoryLimit(limit),
    // As Docker has it on v2: how often the limit was hit so that the killer had to come.
    failures: table(events).oom ?? 0,
    stats: table(stat),
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

/** No limit means the machine's memory, as Docker has it: a percentage of it makes sense. */
function memoryLimit(text: string | undefined): number {
  return Math.min(number(text), totalmem());
}

function number(text: string | undefined): number {
  if (text === undefined) return 0;
  if (text.trim() === 'max') return unlimited;
  return Math.min(Number(text), unlimited);
}

function table(text: string | undefined): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const line of (text ?? '').split('\n')) {
    const [name, value] = line.split(' ');
    if (name && value !== undefined) counters[name] = number(value);
  }
  return counters;
}
