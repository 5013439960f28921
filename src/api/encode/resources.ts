import type { Resources } from '#api-types';
import type { HostSettings } from '#engine';

type Rates = readonly { readonly path: string; readonly rate: number }[];

const throttles = (rates: Rates | undefined) => (rates ?? []).map(({ path, rate }) => ({ Path: path, Rate: rate }));
const orNull = <T>(list: readonly T[]): T[] | null => (list.length === 0 ? null : [...list]);

/** The Resources part of HostConfig, with Docker's choice of null or empty list for what is not set. */
export function encodeResources(host: HostSettings): Resources {
  const limits = host.resources;
  return {
    CpuShares: limits.cpuShares ?? 0,
    Memory: limits.memory ?? 0,
    NanoCpus: limits.nanoCpus ?? 0,
    CgroupParent: host.cgroupParent,
    BlkioWeight: limits.blkioWeight ?? 0,
    BlkioWeightDevice: (limits.blkioWeightDevice ?? []).map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: throttles(limits.blkioDeviceReadBps),
    BlkioDeviceWriteBps: throttles(limits.blkioDeviceWriteBps),
    BlkioDeviceReadIOps: throttles(limits.blkioDeviceReadIOps),
    BlkioDeviceWriteIOps: throttles(limits.blkioDeviceWriteIOps),
    CpuPeriod: limits.cpuPeriod ?? 0,
    CpuQuota: limits.cpuQuota ?? 0,
    CpuRealtimePeriod: limits.cpuRealtimePeriod ?? 0,
    CpuRealtimeRuntime: limits.cpuRealtimeRuntime ?? 0,
    CpusetCpus: limits.cpusetCpus ?? '',
    CpusetMems: limits.cpusetMems ?? '',
    Devices: host.devices.map((device) => ({
      PathOnHost: device.pathOnHost,
      PathInContainer: device.pathInContainer,
      CgroupPermissions: device.permissions,
    })),
    DeviceCgroupRules: orNull(host.deviceCgroupRules),
    DeviceRequests: orNull(
      host.deviceRequests.map((request) => ({
        Driver: request.driver,
        Count: request.count,
        DeviceIDs: orNull(request.deviceIds),
        Capabilities: request.capabilities.map((set) => [...set]),
        Options: { ...request.options },
      })),
    ),
    ...(limits.kernelMemory ? { KernelMemory: limits.kernelMemory } : {}),
    MemoryReservation: limits.memoryReservation ?? 0,
    MemorySwap: limits.memorySwap ?? 0,
    MemorySwappiness: limits.memorySwappiness ?? null,
    OomKillDisable: limits.oomKillDisable ?? false,
    PidsLimit: limits.pidsLimit ?? null,
    Ulimits: (limits.ulimits ?? []).map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}
