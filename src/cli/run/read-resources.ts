import type { DeviceRequest, Resources, RestartPolicy } from '#api-types';
import { invalid } from '#base';
import type { FlagValues } from '../flags/index.ts';
import { readByteRate, readDevices, readGpus, readOperationRate, readUlimit, readWeight } from './devices.ts';

/** `--cpus` in CPUs times 10^9; decimals or a fraction. Throws `invalid` with Docker's texts. */
export function readNanoCpus(text: string): number {
  if (text === '') return 0;
  const [top = '', bottom] = text.split('/');
  const nano = bottom === undefined ? Number(text) * 1e9 : (Number(top) / Number(bottom)) * 1e9;
  const rounded = Math.round(nano);
  if (Math.abs(nano - rounded) > 1e-4) throw invalid('value is too precise');
  return rounded;
}

/** `--restart`: `no`, `always`, `unless-stopped`, `on-failure[:N]`. Throws `invalid` with Docker's texts. */
export function readRestartPolicy(text: string): RestartPolicy {
  if (text === '') return { Name: 'no', MaximumRetryCount: 0 };
  const [name = '', count, ...rest] = text.split(':');
  if (name === '' || rest.length > 0) {
    throw invalid(
      name === ''
        ? 'invalid restart policy format: no policy provided before colon'
        : 'invalid restart policy format: maximum retry count must be an integer',
    );
  }
  if (count !== undefined && !/^-?\d+$/.test(count))
    throw invalid('invalid restart policy format: maximum retry count must be an integer');
  return { Name: name as RestartPolicy['Name'], MaximumRetryCount: Number(count ?? 0) };
}

/** The limits and devices among the flags of `run`. Throws `invalid` with Docker's texts. */
export function readResources(flags: FlagValues): Resources {
  const swappiness = flags.number('memory-swappiness', -1);
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw invalid(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  const { devices, cdi } = readDevices(flags.list('device'));
  const requests: DeviceRequest[] = flags.list('gpus').map(readGpus);
  if (cdi.length > 0) requests.push({ Driver: 'cdi', Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null });
  return {
    CpuShares: flags.number('cpu-shares'),
    Memory: flags.number('memory'),
    NanoCpus: readNanoCpus(flags.string('cpus')),
    CgroupParent: flags.string('cgroup-parent'),
    BlkioWeight: flags.number('blkio-weight'),
    BlkioWeightDevice: flags.list('blkio-weight-device').map(readWeight),
    BlkioDeviceReadBps: flags.list('device-read-bps').map(readByteRate),
    BlkioDeviceWriteBps: flags.list('device-write-bps').map(readByteRate),
    BlkioDeviceReadIOps: flags.list('device-read-iops').map(readOperationRate),
    BlkioDeviceWriteIOps: flags.list('device-write-iops').map(readOperationRate),
    CpuPeriod: flags.number('cpu-period'),
    CpuQuota: flags.number('cpu-quota'),
    CpuRealtimePeriod: flags.number('cpu-rt-period'),
    CpuRealtimeRuntime: flags.number('cpu-rt-runtime'),
    CpusetCpus: flags.string('cpuset-cpus'),
    CpusetMems: flags.string('cpuset-mems'),
    Devices: devices,
    DeviceCgroupRules: flags.changed('device-cgroup-rule') ? flags.list('device-cgroup-rule') : null,
    DeviceRequests: requests.length === 0 ? null : requests,
    MemoryReservation: flags.number('memory-reservation'),
    MemorySwap: flags.number('memory-swap'),
    MemorySwappiness: swappiness,
    OomKillDisable: flags.bool('oom-kill-disable'),
    PidsLimit: flags.number('pids-limit'),
    Ulimits: flags
      .list('ulimit')
      .map(readUlimit)
      .sort((a, b) => (a.Name < b.Name ? -1 : 1)),
    CpuCount: flags.number('cpu-count'),
    CpuPercent: flags.number('cpu-percent'),
    IOMaximumIOps: flags.number('io-maxiops'),
    IOMaximumBandwidth: flags.number('io-maxbandwidth'),
  };
}
