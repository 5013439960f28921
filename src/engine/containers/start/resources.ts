import type { RuntimeResources } from '#oci';
import type { ResourceSettings } from '../container.ts';
import { blockDevice } from './devices.ts';

/** Period that `--cpus` counts in, microseconds. */
const cpuPeriod = 100_000;

/** What of the limits this kernel can enforce; the rest is left out, as create warned. */
export interface HostAbilities {
  readonly swap: boolean;
  readonly blkioWeight: boolean;
}

/** Limits as the runtime takes them. Throws `invalid` for a device that is none. */
export async function runtimeResources(limits: ResourceSettings, host: HostAbilities): Promise<RuntimeResources> {
  const blockIO = await blockIoLimits(limits, host);
  return {
    ...nonEmpty('memory', memoryLimits(limits, host)),
    ...nonEmpty('cpu', cpuLimits(limits)),
    ...(limits.pidsLimit ? { pids: { limit: limits.pidsLimit < 0 ? -1 : limits.pidsLimit } } : {}),
    ...nonEmpty('blockIO', blockIO),
  };
}

function memoryLimits(limits: ResourceSettings, host: HostAbilities): NonNullable<RuntimeResources['memory']> {
  const { memory = 0, memorySwap = 0, memoryReservation = 0, kernelMemory = 0, memorySwappiness } = limits;
  // Without a word on swap a container may use as much of it as of memory, as in Docker.
  const swap = memorySwap === 0 ? memory * 2 : Math.max(memorySwap, -1);
  return {
    ...(memory ? { limit: memory } : {}),
    ...(memory && host.swap ? { swap } : {}),
    ...(memoryReservation ? { reservation: memoryReservation } : {}),
    ...(kernelMemory ? { kernel: kernelMemory } : {}),
    ...(memorySwappiness !== undefined && memorySwappiness >= 0 ? { swappiness: memorySwappiness } : {}),
    ...(limits.oomKillDisable ? { disableOOMKiller: true } : {}),
  };
}

function cpuLimits(limits: ResourceSettings): NonNullable<RuntimeResources['cpu']> {
  const { nanoCpus = 0 } = limits;
  const period = nanoCpus ? cpuPeriod : limits.cpuPeriod;
  const quota = nanoCpus ? Math.round((nanoCpus * cpuPeriod) / 1e9) : limits.cpuQuota;
  return {
    ...(limits.cpuShares ? { shares: limits.cpuShares } : {}),
    ...(period ? { period } : {}),
    ...(quota ? { quota: Math.max(quota, -1) } : {}),
    ...(limits.cpuRealtimePeriod ? { realtimePeriod: limits.cpuRealtimePeriod } : {}),
    ...(limits.cpuRealtimeRuntime ? { realtimeRuntime: limits.cpuRealtimeRuntime } : {}),
    ...(limits.cpusetCpus ? { cpus: limits.cpusetCpus } : {}),
    ...(limits.cpusetMems ? { mems: limits.cpusetMems } : {}),
  };
}

async function blockIoLimits(
  limits: ResourceSettings,
  host: HostAbilities,
): Promise<NonNullable<RuntimeResources['blockIO']>> {
  const throttle = (list: ResourceSettings['blkioDeviceReadBps'] = []) =>
    Promise.all(list.map(async ({ path, rate }) => ({ ...(await blockDevice(path)), rate })));
  const weights = await Promise.all(
    (host.blkioWeight ? (limits.blkioWeightDevice ?? []) : []).map(async ({ path, weight }) => ({
      ...(await blockDevice(path)),
      weight,
    })),
  );
  const some = <Key extends string, Item>(key: Key, list: Item[]) => (list.length > 0 ? { [key]: list } : {});
  return {
    ...(limits.blkioWeight && host.blkioWeight ? { weight: limits.blkioWeight } : {}),
    ...some('weightDevice', weights),
    ...some('throttleReadBpsDevice', await throttle(limits.blkioDeviceReadBps)),
    ...some('throttleWriteBpsDevice', await throttle(limits.blkioDeviceWriteBps)),
    ...some('throttleReadIOPSDevice', await throttle(limits.blkioDeviceReadIOps)),
    ...some('throttleWriteIOPSDevice', await throttle(limits.blkioDeviceWriteIOps)),
  };
}

function nonEmpty<Key extends string, Value extends object>(key: Key, value: Value): { [K in Key]?: Value } {
  return Object.keys(value).length > 0 ? ({ [key]: value } as { [K in Key]?: Value }) : {};
}
