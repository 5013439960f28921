import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { notFound } from '#base';
import type { Cgroup } from '#host';
import type { TaskStats } from '../runtime.ts';

/** proc(5) counts CPU time in clock ticks; USER_HZ is 100 on every Linux that Node runs on. */
const nsPerTick = 10_000_000;
/** v1 writes "no limit" as the largest page-aligned long; such a number is past what JSON carries exactly. */
const unlimited = Number.MAX_SAFE_INTEGER;

/** Reads the cgroup's counters. Throws `not-found` when it is gone. A controller that is off counts as zeros. */
export async function readStats(cgroup: Cgroup): Promise<TaskStats> {
  const [exists, systemNs, cpu, memory, pids, blockIo] = await Promise.all([
    cgroup.exists(),
    readSystemNs(),
    cgroup.unified ? readCpuV2(cgroup) : readCpuV1(cgroup),
    cgroup.unified ? readMemoryV2(cgroup) : readMemoryV1(cgroup),
    readPids(cgroup),
    cgroup.unified ? readBlockIoV2(cgroup) : readBlockIoV1(cgroup),
  ]);
  if (!exists) throw notFound(`cgroup ${cgroup.path} is gone: the container does not run`);
  return { readAt: Date.now(), cpu: { ...cpu, systemNs, online: cpus().length }, memory, pids, blockIo };
}

type Cpu = Omit<TaskStats['cpu'], 'systemNs' | 'online'>;

async function readSystemNs(): Promise<number> {
  const first = (await readFile('/proc/stat', 'latin1')).split('\n', 1)[0] ?? '';
  // user nice system idle iowait irq softirq steal; guest time is counted in user already.
  const ticks = first
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .reduce((sum, field) => sum + Number(field), 0);
  return ticks * nsPerTick;
}

async function readCpuV1(cgroup: Cgroup): Promise<Cpu> {
  const [usage, perCpu, user, kernel, throttling] = await Promise.all([
    cgroup.read('cpuacct', 'cpuacct.usage'),
    cgroup.read('cpuacct', 'cpuacct.usage_percpu'),
    cgroup.read('cpuacct', 'cpuacct.usage_user'),
    cgroup.read('cpuacct', 'cpuacct.usage_sys'),
    cgroup.read('cpu', 'cpu.stat'),
  ]);
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

async function readCpuV2(cgroup: Cgroup): Promise<Cpu> {
  const counters = table(await cgroup.read('cpu', 'cpu.stat'));
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

async function readMemoryV1(cgroup: Cgroup): Promise<TaskStats['memory']> {
  const [usage, peak, limit, failures, stat] = await Promise.all([
    cgroup.read('memory', 'memory.usage_in_bytes'),
    cgroup.read('memory', 'memory.max_usage_in_bytes'),
    cgroup.read('memory', 'memory.limit_in_bytes'),
    cgroup.read('memory', 'memory.failcnt'),
    cgroup.read('memory', 'memory.stat'),
  ]);
  return {
    usage: number(usage),
    maxUsage: number(peak),
    limit: memoryLimit(limit),
    failures: number(failures),
    stats: table(stat),
  };
}

async function readMemoryV2(cgroup: Cgroup): Promise<TaskStats['memory']> {
  const [usage, peak, limit, events, stat] = await Promise.all([
    cgroup.read('memory', 'memory.current'),
    cgroup.read('memory', 'memory.peak'),
    cgroup.read('memory', 'memory.max'),
    cgroup.read('memory', 'memory.events'),
    cgroup.read('memory', 'memory.stat'),
  ]);
  return {
    usage: number(usage),
    maxUsage: number(peak),
    limit: memoryLimit(limit),
    failures: table(events).max ?? 0,
    stats: table(stat),
  };
}

async function readPids(cgroup: Cgroup): Promise<TaskStats['pids']> {
  const [current, limit] = await Promise.all([cgroup.read('pids', 'pids.current'), cgroup.read('pids', 'pids.max')]);
  // Zero is Docker's word for "no limit" here.
  return { current: number(current), limit: limit?.trim() === 'max' ? 0 : number(limit) };
}

async function readBlockIoV1(cgroup: Cgroup): Promise<TaskStats['blockIo']> {
  const [bytes, operations] = await Promise.all([
    cgroup.read('blkio', 'blkio.throttle.io_service_bytes_recursive'),
    cgroup.read('blkio', 'blkio.throttle.io_serviced_recursive'),
  ]);
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

async function readBlockIoV2(cgroup: Cgroup): Promise<TaskStats['blockIo']> {
  const text = (await cgroup.read('io', 'io.stat')) ?? '';
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
