import { z } from 'zod';
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

/** Turns limits into the domain's; what is not given or 0 is left out. Whether they can be is the engine's to check. */
export function decodeResources(wire: WireResources): ResourceSettings {
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
