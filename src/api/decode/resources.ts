import { z } from 'zod';
import { invalid } from '#base';
import type { ResourceSettings } from '#engine';
import { bool, goObject, int, text } from './go-json.ts';

const throttles = z.array(goObject({ Path: text, Rate: int })).optional();

/** Fields of Resources that become {@link ResourceSettings}; devices are read with HostConfig. */
export const resourceShape = {
  CpuShares: int,
  Memory: int,
  NanoCpus: int,
  BlkioWeight: int,
  BlkioWeightDevice: z.array(goObject({ Path: text, Weight: int })).optional(),
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  CpuPeriod: int,
  CpuQuota: int,
  CpuRealtimePeriod: int,
  CpuRealtimeRuntime: int,
  CpusetCpus: text,
  CpusetMems: text,
  KernelMemory: int,
  MemoryReservation: int,
  MemorySwap: int,
  MemorySwappiness: int,
  OomKillDisable: bool,
  PidsLimit: int,
  Ulimits: z.array(goObject({ Name: text, Soft: int, Hard: int })).optional(),
};

const schema = z.object(resourceShape);
type WireResources = z.output<typeof schema>;

const leastMemory = 6 * 1024 * 1024;

/** Turns limits into the domain's; what is not given or 0 is left out. Throws `invalid` with Docker's texts. */
export function decodeResources(wire: WireResources): ResourceSettings {
  checkResources(wire);
  const settings = {
    memory: wire.Memory,
    memorySwap: wire.MemorySwap,
    memoryReservation: wire.MemoryReservation,
    kernelMemory: wire.KernelMemory,
    // 0 is a real value here: never swap.
    memorySwappiness: wire.MemorySwappiness === -1 ? undefined : wire.MemorySwappiness,
    oomKillDisable: wire.OomKillDisable,
    nanoCpus: wire.NanoCpus,
    cpuShares: wire.CpuShares,
    cpuPeriod: wire.CpuPeriod,
    cpuQuota: wire.CpuQuota,
    cpuRealtimePeriod: wire.CpuRealtimePeriod,
    cpuRealtimeRuntime: wire.CpuRealtimeRuntime,
    cpusetCpus: wire.CpusetCpus,
    cpusetMems: wire.CpusetMems,
    pidsLimit: wire.PidsLimit,
    blkioWeight: wire.BlkioWeight,
    blkioWeightDevice: wire.BlkioWeightDevice?.map(({ Path = '', Weight = 0 }) => ({ path: Path, weight: Weight })),
    blkioDeviceReadBps: rates(wire.BlkioDeviceReadBps),
    blkioDeviceWriteBps: rates(wire.BlkioDeviceWriteBps),
    blkioDeviceReadIOps: rates(wire.BlkioDeviceReadIOps),
    blkioDeviceWriteIOps: rates(wire.BlkioDeviceWriteIOps),
    ulimits: wire.Ulimits?.map(({ Name = '', Soft = 0, Hard = 0 }) => ({ name: Name, soft: Soft, hard: Hard })),
  };
  const keep = ([key, value]: [string, unknown]) => {
    if (value === undefined || value === '') return false;
    if (Array.isArray(value)) return value.length > 0;
    return value !== 0 || key === 'memorySwappiness';
  };
  return Object.fromEntries(Object.entries(settings).filter(keep));
}

function rates(wire: WireResources['BlkioDeviceReadBps']): { path: string; rate: number }[] | undefined {
  return wire?.map(({ Path = '', Rate = 0 }) => ({ path: Path, rate: Rate }));
}

/** The rules that hold on every host; what depends on the host's kernel is the engine's to check. */
function checkResources(wire: WireResources): void {
  checkMemory(wire);
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, CpuShares = 0, PidsLimit = 0 } = wire;
  if (NanoCpus < 0) throw invalid('Invalid value: NanoCpus must not be negative');
  if (NanoCpus > 0 && CpuPeriod > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (NanoCpus > 0 && CpuQuota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (CpuShares < 0) throw invalid(`invalid CPU shares (${CpuShares}): value must be a positive integer`);
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (CpuQuota > 0 && CpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (!Number.isSafeInteger(PidsLimit)) throw invalid(`invalid PidsLimit: ${PidsLimit}`);
  for (const [field, list] of [
    ['cpuset cpus', wire.CpusetCpus],
    ['cpuset mems', wire.CpusetMems],
  ] as const) {
    if (list && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) {
      throw invalid(`Invalid value ${list} for ${field}: invalid format: ${list}`);
    }
  }
  for (const { Name = '', Soft = 0, Hard = 0 } of wire.Ulimits ?? []) {
    if (Hard !== -1 && Soft > Hard)
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${Name}: ${Soft} > ${Hard}`);
  }
}

function checkMemory(wire: WireResources): void {
  const { Memory = 0, MemorySwap = 0, MemoryReservation = 0, MemorySwappiness } = wire;
  if (Memory < 0 || (Memory > 0 && Memory < leastMemory)) throw invalid('Minimum memory limit allowed is 6MB');
  if (Memory === 0 && MemorySwap > 0) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (MemorySwappiness !== undefined && (MemorySwappiness < -1 || MemorySwappiness > 100)) {
    throw invalid(`Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
  }
  if (MemoryReservation > 0 && MemoryReservation < leastMemory) {
    throw invalid('Minimum memory reservation allowed is 6MB');
  }
  if (Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}
