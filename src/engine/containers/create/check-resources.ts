import { invalid } from '#base';
import type { ResourceSettings } from '../container.ts';

/** What of a host limits depend on. */
export interface ResourceLimits {
  readonly cpus: number;
  /** NUMA nodes with memory, by number. */
  readonly memoryNodes: readonly number[];
  /** False where the kernel does not account swap: a swap limit is dropped with a warning. */
  readonly swap: boolean;
  /** False where the kernel knows no block I/O weight: it is dropped with a warning. */
  readonly blkioWeight: boolean;
}

const smallestMemory = 6 * 1024 * 1024; // bytes
const mostCpus = 8192;

/**
 * Throws `invalid` for limits that cannot be, in Docker's words; returns warnings. In an `update` they come on top of
 * others, so that none of them is missed.
 */
export function checkResources(
  resources: ResourceSettings,
  limits: ResourceLimits,
  { update = false }: { update?: boolean } = {},
): string[] {
  checkMemory(resources, update);
  checkCpu(resources, limits);
  for (const { name, soft, hard } of resources.ulimits ?? []) {
    if (hard !== -1 && (soft > hard || soft === -1)) {
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${name}: ${soft} > ${hard}`);
    }
  }
  if (!Number.isSafeInteger(resources.pidsLimit ?? 0)) throw invalid(`invalid PidsLimit: ${resources.pidsLimit}`);
  return [
    ...((resources.memory ?? 0) > 0 && !limits.swap ? [noSwapLimit] : []),
    ...(resources.oomKillDisable && !resources.memory ? [noLimitForOom] : []),
    ...checkBlockIo(resources, limits),
  ];
}

const noSwapLimit =
  'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.';
const noLimitForOom =
  'OOM killer is disabled for the container, but no memory limit is set, ' +
  'this can result in the system running out of resources.';
const noWeight = (what: string, dropped: string) =>
  `Your kernel does not support Block I/O ${what} or the cgroup is not mounted. ${dropped} discarded.`;

function checkMemory(resources: ResourceSettings, update: boolean): void {
  const { memory = 0, memorySwap = 0, memoryReservation = 0, memorySwappiness } = resources;
  if (memory !== 0 && memory < smallestMemory) throw invalid('Minimum memory limit allowed is 6MB');
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && memorySwap > 0 && !update) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (memorySwappiness !== undefined && (memorySwappiness < -1 || memorySwappiness > 100)) {
    throw invalid(`Invalid value: ${memorySwappiness}, valid memory swappiness range is 0-100`);
  }
  if (memoryReservation > 0 && memoryReservation < smallestMemory) {
    throw invalid('Minimum memory reservation allowed is 6MB');
  }
  if (memory > 0 && memoryReservation > memory) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

function checkCpu(resources: ResourceSettings, limits: ResourceLimits): void {
  const { nanoCpus = 0, cpuPeriod = 0, cpuQuota = 0, cpuShares = 0 } = resources;
  const { cpuRealtimePeriod = 0, cpuRealtimeRuntime = 0 } = resources;
  if (nanoCpus > 0 && cpuPeriod > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (nanoCpus > 0 && cpuQuota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (nanoCpus < 0 || nanoCpus > limits.cpus * 1e9) {
    throw invalid(
      `range of CPUs is from 0.01 to ${limits.cpus.toFixed(2)}, as there are only ${limits.cpus} CPUs available`,
    );
  }
  if (cpuShares < 0) throw invalid(`invalid CPU shares (${cpuShares}): value must be a positive integer`);
  if (cpuPeriod !== 0 && (cpuPeriod < 1000 || cpuPeriod > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (cpuQuota > 0 && cpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (cpuRealtimePeriod !== 0 && cpuRealtimeRuntime > cpuRealtimePeriod) {
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period');
  }
  checkSet(resources.cpusetCpus, {
    field: 'cpuset cpus',
    what: 'CPUs',
    available: Array.from({ length: limits.cpus }, (_, cpu) => cpu),
  });
  checkSet(resources.cpusetMems, {
    field: 'cpuset mems',
    what: 'memory nodes',
    available: limits.memoryNodes,
  });
}

/** A list such as `0-2,4` of what the host has. */
function checkSet(
  text: string | undefined,
  { field, what, available }: { field: string; what: string; available: readonly number[] },
): void {
  if (!text) return;
  const bad = (why: string) => invalid(`Invalid value ${text} for ${field}: ${why}`);
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || to < from) throw bad(`invalid format: ${text}`);
    if (to > mostCpus) throw bad(`value of out range, maximum is ${mostCpus}`);
    for (let one = from; one <= to; one++) {
      if (available.includes(one)) continue;
      throw invalid(`Requested ${what} are not available - requested ${text}, available: ${formatSet(available)}`);
    }
  }
}

function formatSet(numbers: readonly number[]): string {
  const [first] = numbers;
  const last = numbers.at(-1);
  if (first === undefined || last === undefined) return '';
  if (last - first + 1 !== numbers.length) return numbers.join(',');
  return first === last ? String(first) : `${first}-${last}`;
}

/** Without weights in the kernel they are dropped unread, as in Docker. */
function checkBlockIo({ blkioWeight = 0, blkioWeightDevice = [] }: ResourceSettings, limits: ResourceLimits): string[] {
  if (!limits.blkioWeight) {
    return [
      ...(blkioWeight !== 0 ? [noWeight('weight', 'Weight')] : []),
      ...(blkioWeightDevice.length > 0 ? [noWeight('weight_device', 'Weight-device')] : []),
    ];
  }
  if (blkioWeight !== 0 && (blkioWeight < 10 || blkioWeight > 1000)) {
    throw invalid('Range of blkio weight is from 10 to 1000');
  }
  return [];
}
