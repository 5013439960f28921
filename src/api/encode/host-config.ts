import type { HostConfig, MountRequest, PortMap } from '#api-types';
import type { HostSettings, MountSettings } from '#engine';
import type { PortRequest } from '#network';
import { formatBind, isBindString } from '../decode/binds.ts';
import { encodeResources } from './resources.ts';

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const orNull = <T>(list: readonly T[]): T[] | null => (list.length === 0 ? null : [...list]);
const filled = (map: Readonly<Record<string, string>>) => Object.keys(map).length > 0;

/** HostConfig as inspect shows it, every key there; null or empty list as Docker's own client leaves them. */
export function encodeHostConfig(host: HostSettings): HostConfig {
  const binds = host.mounts.filter(isBindString).map(formatBind);
  const mounts = host.mounts.filter((mount) => !isBindString(mount) && mount.fromImage !== true).map(encodeMount);
  return {
    Binds: orNull(binds),
    ContainerIDFile: host.containerIdFile,
    LogConfig: { Type: host.log.driver || 'json-file', Config: { ...host.log.options } },
    NetworkMode: host.networkMode === 'default' ? 'bridge' : host.networkMode,
    PortBindings: encodePortBindings(host.ports),
    RestartPolicy: { Name: host.restart.name, MaximumRetryCount: host.restart.maximumRetryCount },
    AutoRemove: host.autoRemove,
    VolumeDriver: host.volumeDriver,
    VolumesFrom: orNull(host.volumesFrom),
    ConsoleSize: [host.consoleSize[0], host.consoleSize[1]],
    CapAdd: orNull(host.capAdd),
    CapDrop: orNull(host.capDrop),
    CgroupnsMode: host.cgroupnsMode === 'host' ? 'host' : host.cgroupnsMode === 'private' ? 'private' : '',
    Dns: [...host.dns],
    DnsOptions: [...host.dnsOptions],
    DnsSearch: [...host.dnsSearch],
    ExtraHosts: orNull(host.extraHosts),
    GroupAdd: orNull(host.groupAdd),
    IpcMode: host.ipcMode,
    Cgroup: '',
    Links: orNull(host.links),
    OomScoreAdj: host.oomScoreAdj,
    PidMode: host.pidMode,
    Privileged: host.privileged,
    PublishAllPorts: host.publishAllPorts,
    ReadonlyRootfs: host.readonlyRootfs,
    SecurityOpt: orNull(host.securityOpt),
    ...(filled(host.storageOpt) ? { StorageOpt: { ...host.storageOpt } } : {}),
    ...(filled(host.tmpfs) ? { Tmpfs: { ...host.tmpfs } } : {}),
    UTSMode: host.utsMode,
    UsernsMode: host.usernsMode,
    ShmSize: host.shmSize,
    ...(filled(host.sysctls) ? { Sysctls: { ...host.sysctls } } : {}),
    Runtime: host.runtime,
    Isolation: '',
    ...encodeResources(host),
    ...(mounts.length > 0 ? { Mounts: mounts } : {}),
    MaskedPaths: host.maskedPaths ? [...host.maskedPaths] : host.privileged ? null : maskedPaths,
    ReadonlyPaths: host.readonlyPaths ? [...host.readonlyPaths] : host.privileged ? null : readonlyPaths,
    ...(filled(host.annotations) ? { Annotations: { ...host.annotations } } : {}),
    ...(host.init === undefined ? {} : { Init: host.init }),
  };
}

function encodeMount(mount: MountSettings): MountRequest {
  const options = mountOptions(mount);
  return {
    Type: mount.type,
    ...(mount.source === '' ? {} : { Source: mount.source }),
    Target: mount.target,
    ...(mount.readonly ? { ReadOnly: true } : {}),
    ...options,
  };
}

function mountOptions(mount: MountSettings): Partial<MountRequest> {
  const named = <K extends keyof MountRequest>(key: K, options: MountRequest[K] & object): Partial<MountRequest> =>
    Object.keys(options).length === 0 ? {} : { [key]: options };
  switch (mount.type) {
    case 'bind':
      return named('BindOptions', bindOptions(mount));
    case 'volume':
      return named('VolumeOptions', volumeOptions(mount));
    case 'image':
      return named('ImageOptions', mount.subpath ? { Subpath: mount.subpath } : {});
    case 'tmpfs':
      return named('TmpfsOptions', tmpfsOptions(mount));
    default:
      return {};
  }
}

function bindOptions(mount: MountSettings): NonNullable<MountRequest['BindOptions']> {
  return {
    ...(mount.propagation ? { Propagation: mount.propagation } : {}),
    ...(mount.nonRecursive ? { NonRecursive: true } : {}),
    ...(mount.createSource ? { CreateMountpoint: true } : {}),
    ...(mount.readonlyNonRecursive ? { ReadOnlyNonRecursive: true } : {}),
    ...(mount.readonlyForceRecursive ? { ReadOnlyForceRecursive: true } : {}),
    ...(mount.idMapping ? { IDMapping: idMapping(mount.idMapping) } : {}),
  };
}

function idMapping({ source, user }: NonNullable<MountSettings['idMapping']>): { Source: string; User?: string } {
  return { Source: source, ...(user ? { User: user } : {}) };
}

function volumeOptions(mount: MountSettings): NonNullable<MountRequest['VolumeOptions']> {
  return {
    ...(mount.noCopy ? { NoCopy: true } : {}),
    ...(mount.labels ? { Labels: { ...mount.labels } } : {}),
    ...(mount.subpath ? { Subpath: mount.subpath } : {}),
    ...(mount.driver ? { DriverConfig: { Name: mount.driver.name, Options: { ...mount.driver.options } } } : {}),
  };
}

function tmpfsOptions({ tmpfs }: MountSettings): NonNullable<MountRequest['TmpfsOptions']> {
  return {
    ...(tmpfs?.sizeBytes ? { SizeBytes: tmpfs.sizeBytes } : {}),
    ...(tmpfs?.mode ? { Mode: tmpfs.mode } : {}),
    ...(tmpfs?.options ? { Options: tmpfs.options.map((words) => [...words]) } : {}),
  };
}

function encodePortBindings(ports: readonly PortRequest[]): PortMap {
  const map: PortMap = {};
  for (const { protocol, containerPort, hostAddress, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    const text = typeof hostPort === 'object' ? `${hostPort.from}-${hostPort.to}` : hostPort ? String(hostPort) : '';
    const bindings = map[key] ?? [];
    bindings.push({ HostIp: hostAddress ?? '', HostPort: text });
    map[key] = bindings;
  }
  return map;
}
