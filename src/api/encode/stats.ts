import {
  type BlkioEntry,
  type BlkioStats,
  type ContainerStats,
  type CpuStats,
  type NetworkStats,
  zeroTime,
} from '#api-types';
import type { ContainerStats as Sample } from '#engine';
import type { TaskStats } from '#runtime';
import { formatTime } from './time.ts';

const noThrottling = { periods: 0, throttled_periods: 0, throttled_time: 0 };

/** One sample of /stats; `before` is the sample a second ago, which gives clients the deltas. */
export function encodeStats(sample: Sample, before: TaskStats | undefined): ContainerStats {
  const { container, current } = sample;
  const networks = Object.entries(sample.interfaces);
  return {
    name: `/${container.name}`,
    id: container.id,
    read: current === undefined ? zeroTime : formatTime(current.readAt),
    preread: before === undefined ? zeroTime : formatTime(before.readAt),
    pids_stats:
      current === undefined
        ? {}
        : { current: current.pids.current, ...(current.pids.limit > 0 ? { limit: current.pids.limit } : {}) },
    blkio_stats: encodeBlkio(current),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: encodeCpu(current),
    precpu_stats: encodeCpu(before),
    memory_stats:
      current === undefined
        ? {}
        : {
            usage: current.memory.usage,
            ...(current.memory.maxUsage > 0 ? { max_usage: current.memory.maxUsage } : {}),
            stats: { ...current.memory.stats },
            ...(current.memory.failures > 0 ? { failcnt: current.memory.failures } : {}),
            limit: current.memory.limit,
          },
    ...(networks.length > 0
      ? { networks: Object.fromEntries(networks.map(([name, counters]) => [name, encodeInterface(counters)])) }
      : {}),
  };
}

function encodeCpu(stats: TaskStats | undefined): CpuStats {
  if (stats === undefined) {
    return {
      cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      throttling_data: noThrottling,
    };
  }
  const { cpu } = stats;
  return {
    cpu_usage: {
      total_usage: cpu.totalNs,
      ...(cpu.perCpuNs.length > 0 ? { percpu_usage: [...cpu.perCpuNs] } : {}),
      usage_in_kernelmode: cpu.kernelNs,
      usage_in_usermode: cpu.userNs,
    },
    system_cpu_usage: cpu.systemNs,
    online_cpus: cpu.online,
    throttling_data: {
      periods: cpu.periods,
      throttled_periods: cpu.throttledPeriods,
      throttled_time: cpu.throttledNs,
    },
  };
}

function encodeBlkio(stats: TaskStats | undefined): BlkioStats {
  const entries = (value: 'bytes' | 'operations'): BlkioEntry[] | null =>
    stats?.blockIo.map((entry) => ({
      major: entry.major,
      minor: entry.minor,
      op: entry.op,
      value: entry[value],
    })) ?? null;
  const none = stats === undefined ? null : [];
  return {
    io_service_bytes_recursive: entries('bytes'),
    io_serviced_recursive: entries('operations'),
    io_queue_recursive: none,
    io_service_time_recursive: none,
    io_wait_time_recursive: none,
    io_merged_recursive: none,
    io_time_recursive: none,
    sectors_recursive: none,
  };
}

function encodeInterface(counters: Readonly<Record<string, number>>): NetworkStats {
  const at = (name: string) => counters[name] ?? 0;
  return {
    rx_bytes: at('rx_bytes'),
    rx_packets: at('rx_packets'),
    rx_errors: at('rx_errors'),
    rx_dropped: at('rx_dropped'),
    tx_bytes: at('tx_bytes'),
    tx_packets: at('tx_packets'),
    tx_errors: at('tx_errors'),
    tx_dropped: at('tx_dropped'),
  };
}
