import type { DeviceRequest as ApiDeviceRequest, DeviceMapping, Resources, ThrottleDevice, Ulimit } from '#api-types';
import type { DeviceRequest, Service, ThrottleDevice as Throttle } from '../model/index.ts';

const bytes = (size: string | undefined): number => (size === undefined ? 0 : Number(size));
const nano = (cpus: number | undefined): number => Math.round((cpus ?? 0) * 1e9);

function throttles(list: readonly Throttle[] | undefined): ThrottleDevice[] | null {
  return list?.map(({ Path, Rate }) => ({ Path, Rate: Number(Rate) })) ?? null;
}

function ulimits(service: Service): Ulimit[] | null {
  if (service.ulimits === undefined) return null;
  return Object.entries(service.ulimits)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Name, limit]) =>
      typeof limit === 'number'
        ? { Name, Soft: limit, Hard: limit }
        : { Name, Soft: limit.soft ?? 0, Hard: limit.hard ?? 0 },
    );
}

function deviceRequest(device: DeviceRequest, capabilities: string[]): ApiDeviceRequest {
  return {
    Driver: device.driver ?? '',
    Count: device.count ?? 0,
    DeviceIDs: device.device_ids ?? null,
    Capabilities: [capabilities],
    Options: device.options ?? null,
  };
}

function devices(service: Service): { mappings: DeviceMapping[] | null; requests: ApiDeviceRequest[] | null } {
  const mappings: DeviceMapping[] = [];
  const cdi: string[] = [];
  for (const device of service.devices ?? []) {
    const source = device.source ?? '';
    if (source.includes('=') && source === (device.target ?? source)) cdi.push(source);
    else {
      mappings.push({
        PathOnHost: source,
        PathInContainer: device.target ?? source,
        CgroupPermissions: device.permissions ?? 'rwm',
      });
    }
  }
  const reserved = service.deploy?.resources?.reservations?.devices ?? [];
  const requests = [
    ...reserved.map((device) => deviceRequest(device, device.capabilities ?? [])),
    ...(service.gpus ?? []).map((device) => deviceRequest(device, [...(device.capabilities ?? []), 'gpu'])),
    ...(cdi.length > 0 ? [{ Driver: 'cdi', Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null }] : []),
  ];
  return { mappings: mappings.length > 0 ? mappings : null, requests: requests.length > 0 ? requests : null };
}

/** Limits and devices of a service as the API takes them; `deploy.resources` wins over the service's own keys. */
export function resourcesOf(service: Service): Partial<Resources> {
  const limits = service.deploy?.resources?.limits;
  const reservations = service.deploy?.resources?.reservations;
  const { mappings, requests } = devices(service);
  const pids = limits?.pids || service.pids_limit;
  const blkio = service.blkio_config;
  return {
    CgroupParent: service.cgroup_parent ?? '',
    Memory: limits?.memory ? bytes(limits.memory) : bytes(service.mem_limit),
    MemorySwap: bytes(service.memswap_limit),
    MemorySwappiness: service.mem_swappiness === undefined ? null : bytes(service.mem_swappiness),
    MemoryReservation: reservations?.memory ? bytes(reservations.memory) : bytes(service.mem_reservation),
    OomKillDisable: service.oom_kill_disable ?? false,
    CpuCount: service.cpu_count ?? 0,
    CpuPeriod: service.cpu_period ?? 0,
    CpuQuota: service.cpu_quota ?? 0,
    CpuRealtimePeriod: service.cpu_rt_period ?? 0,
    CpuRealtimeRuntime: service.cpu_rt_runtime ?? 0,
    CpuShares: service.cpu_shares ?? 0,
    NanoCpus: limits?.cpus ? nano(limits.cpus) : nano(service.cpus),
    CpuPercent: Math.round((service.cpu_percent ?? 0) * 100),
    CpusetCpus: service.cpuset ?? '',
    DeviceCgroupRules: service.device_cgroup_rules ?? null,
    Devices: mappings,
    DeviceRequests: requests,
    PidsLimit: pids ?? null,
    Ulimits: ulimits(service),
    BlkioWeight: blkio?.weight ?? 0,
    BlkioWeightDevice: blkio?.weight_device ?? null,
    BlkioDeviceReadBps: throttles(blkio?.device_read_bps),
    BlkioDeviceReadIOps: throttles(blkio?.device_read_iops),
    BlkioDeviceWriteBps: throttles(blkio?.device_write_bps),
    BlkioDeviceWriteIOps: throttles(blkio?.device_write_iops),
  };
}
