import { apiVersion, minApiVersion, type SystemInfo, type SystemVersion } from '#api-types';
import type { Containers } from '#engine';
import type { EngineFacts } from '../ports.ts';
import { formatTime } from './time.ts';

/** Go's version is part of Docker's answers; clients show it as the language of the engine. */
const language = `node${process.version}`;

/** Answer of GET /version. */
export function encodeVersion(facts: EngineFacts): SystemVersion {
  const experimental = String(facts.experimental);
  return {
    Platform: { Name: 'Berth' },
    Components: [
      {
        Name: 'Engine',
        Version: facts.version,
        Details: {
          ApiVersion: apiVersion,
          Arch: facts.architecture,
          BuildTime: facts.buildTime,
          Experimental: experimental,
          GitCommit: facts.gitCommit,
          GoVersion: language,
          KernelVersion: facts.kernelVersion,
          MinAPIVersion: minApiVersion,
          Os: 'linux',
        },
      },
      ...facts.components.map(({ name, version, details }) => ({
        Name: name,
        Version: version,
        Details: { ...details },
      })),
    ],
    Version: facts.version,
    ApiVersion: apiVersion,
    MinAPIVersion: minApiVersion,
    GitCommit: facts.gitCommit,
    GoVersion: language,
    Os: 'linux',
    Arch: facts.architecture,
    KernelVersion: facts.kernelVersion,
    ...(facts.experimental ? { Experimental: true } : {}),
    BuildTime: facts.buildTime,
  };
}

/** Counts that `/info` shows beside the facts. */
export interface ObjectCounts {
  readonly containers: ReturnType<Containers['counts']>;
  readonly images: number;
}

/** Answer of GET /info. `now` in ms since the epoch. */
export function encodeInfo(facts: EngineFacts, counts: ObjectCounts, now: number): SystemInfo {
  const { containers } = counts;
  const total = Object.values(containers).reduce((sum, count) => sum + count, 0);
  const running = containers.running + containers.restarting;
  return {
    ID: facts.id,
    Containers: total,
    ContainersRunning: running,
    ContainersPaused: containers.paused,
    ContainersStopped: total - running - containers.paused,
    Images: counts.images,
    Driver: facts.storage.driver,
    DriverStatus: facts.storage.status.map(([key, value]): [string, string] => [key, value]),
    Plugins: {
      Volume: [...facts.drivers.volume],
      Network: [...facts.drivers.network],
      Authorization: null,
      Log: [...facts.drivers.log],
    },
    ...limitFlags(facts),
    IPv4Forwarding: facts.ipv4Forwarding,
    Debug: facts.debug,
    NFd: facts.openFiles,
    NGoroutines: 1,
    SystemTime: formatTime(now),
    LoggingDriver: facts.defaultLogDriver,
    CgroupDriver: facts.cgroup.driver,
    CgroupVersion: facts.cgroup.version,
    NEventsListener: facts.eventListeners,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: 'linux',
    Architecture: facts.machine,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(facts),
    NCPU: facts.cpus,
    MemTotal: facts.memoryBytes,
    GenericResources: null,
    DockerRootDir: facts.dataRoot,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: facts.hostname,
    Labels: [...facts.labels],
    ExperimentalBuild: facts.experimental,
    ServerVersion: facts.version,
    Runtimes: Object.fromEntries(facts.runtimes.map(({ name, path }) => [name, { path }])),
    DefaultRuntime: facts.defaultRuntime,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    // Containers always outlive the daemon here.
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: facts.initBinary,
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: [...facts.securityOptions],
    ...(facts.addressPools.length > 0
      ? { DefaultAddressPools: facts.addressPools.map(({ base, size }) => ({ Base: base, Size: size })) }
      : {}),
    ...(facts.firewall === undefined ? {} : { FirewallBackend: { Driver: facts.firewall } }),
    CDISpecDirs: [...facts.cdiDirectories],
    Warnings: facts.warnings.length > 0 ? [...facts.warnings] : null,
  };
}

function limitFlags({ limits }: EngineFacts) {
  return {
    MemoryLimit: limits.memory,
    SwapLimit: limits.swap,
    CpuCfsPeriod: limits.cpuPeriod,
    CpuCfsQuota: limits.cpuQuota,
    CPUShares: limits.cpuShares,
    CPUSet: limits.cpuSet,
    PidsLimit: limits.pids,
    OomKillDisable: limits.oomKillDisable,
  };
}

function registryConfig({ registry }: EngineFacts): SystemInfo['RegistryConfig'] {
  const ranges = registry.insecure.filter((entry) => entry.includes('/'));
  const hosts = registry.insecure.filter((entry) => !entry.includes('/'));
  const mirrors = [...registry.mirrors];
  return {
    IndexConfigs: {
      'docker.io': { Mirrors: mirrors, Name: 'docker.io', Official: true, Secure: true },
      ...Object.fromEntries(hosts.map((name) => [name, { Mirrors: [], Name: name, Official: false, Secure: false }])),
    },
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...ranges],
    Mirrors: mirrors.length > 0 ? mirrors : null,
  };
}
