import type {
  ContainerConfig,
  ContainerInspect,
  ContainerState,
  EmptyObject,
  HealthConfig,
  MountPoint,
  NetworkSettings,
  PortMap,
} from '#api-types';
import type { Container, ContainerSize, MountPoint as DomainMountPoint } from '#engine';
import type { Healthcheck } from '#oci';
import { encodeNetworks } from './endpoint.ts';
import { encodeHostConfig } from './host-config.ts';
import { formatTime } from './time.ts';

/** The name under which all images and containers are stored, as `Driver` and `GraphDriver.Name`. */
export const storageDriver = 'overlay2';

/** Answer of GET /containers/{id}/json. */
export function encodeContainerInspect(container: Container, size?: ContainerSize): ContainerInspect {
  const [path = '', ...args] = [...(container.process.entrypoint ?? []), ...(container.process.cmd ?? [])];
  return {
    Id: container.id,
    Created: formatTime(container.createdAt),
    Path: path,
    Args: args,
    State: encodeState(container),
    Image: container.imageId,
    ResolvConfPath: container.paths.resolvConf,
    HostnamePath: container.paths.hostname,
    HostsPath: container.paths.hosts,
    LogPath: container.paths.log,
    Name: `/${container.name}`,
    RestartCount: container.state.restartCount,
    Driver: storageDriver,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: container.execIds.length > 0 ? [...container.execIds] : null,
    HostConfig: encodeHostConfig(container.host),
    GraphDriver: { Data: null, Name: storageDriver },
    ...(size === undefined ? {} : { SizeRw: size.rw, SizeRootFs: size.rootFs }),
    Mounts: encodeMountPoints(container.mountPoints),
    Config: encodeConfig(container),
    NetworkSettings: encodeNetworkSettings(container),
  };
}

function encodeState({ state }: Container): ContainerState {
  const { status, health } = state;
  return {
    Status: status,
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: formatTime(state.startedAt),
    FinishedAt: formatTime(state.finishedAt),
    ...(health === undefined
      ? {}
      : {
          Health: {
            Status: health.status,
            FailingStreak: health.failingStreak,
            Log: health.log.map((probe) => ({
              Start: formatTime(probe.start),
              End: formatTime(probe.end),
              ExitCode: probe.exitCode,
              Output: probe.output,
            })),
          },
        }),
  };
}

/** `Mounts`, in the order of their places: Docker's is that of chance. */
export function encodeMountPoints(points: readonly DomainMountPoint[]): MountPoint[] {
  return [...points].sort((a, b) => (a.destination < b.destination ? -1 : 1)).map(encodeMountPoint);
}

/** One entry of `Mounts`. */
function encodeMountPoint(mount: DomainMountPoint): MountPoint {
  return {
    Type: mount.type,
    ...(mount.name === undefined ? {} : { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.driver === undefined ? {} : { Driver: mount.driver }),
    Mode: mount.mode,
    RW: mount.rw,
    Propagation: mount.propagation,
  };
}

/** A set as Go writes it; undefined when it is empty. */
function keySetOf(keys: readonly string[]): Record<string, EmptyObject> | undefined {
  return keys.length === 0 ? undefined : Object.fromEntries(keys.map((key): [string, EmptyObject] => [key, {}]));
}

/** Healthcheck without what is not set. */
function encodeHealthcheck(check: Healthcheck): HealthConfig {
  const kept = Object.entries(check).filter(([, value]) => value !== undefined && value !== 0);
  return Object.fromEntries(kept);
}

function encodeConfig(container: Container): ContainerConfig {
  const { process } = container;
  const exposed = keySetOf(container.exposedPorts);
  return {
    Hostname: container.hostname,
    Domainname: container.domainname,
    User: process.user,
    AttachStdin: process.attachStdin,
    AttachStdout: process.attachStdout,
    AttachStderr: process.attachStderr,
    ...(exposed === undefined ? {} : { ExposedPorts: exposed }),
    Tty: process.tty,
    OpenStdin: process.openStdin,
    StdinOnce: process.stdinOnce,
    Env: [...process.env],
    Cmd: process.cmd === null ? null : [...process.cmd],
    ...(container.healthcheck === undefined ? {} : { Healthcheck: encodeHealthcheck(container.healthcheck) }),
    Image: container.image,
    Volumes: keySetOf(container.volumes) ?? null,
    WorkingDir: process.workingDir,
    Entrypoint: process.entrypoint === null ? null : [...process.entrypoint],
    ...(container.networkDisabled ? { NetworkDisabled: true } : {}),
    OnBuild: container.onBuild?.length ? [...container.onBuild] : null,
    Labels: { ...container.labels },
    ...(process.stopSignal === '' ? {} : { StopSignal: process.stopSignal }),
    ...(process.stopTimeout === undefined ? {} : { StopTimeout: process.stopTimeout }),
    ...(process.shell === undefined ? {} : { Shell: [...process.shell] }),
  };
}

/** Exposed and published ports of a container that runs; empty otherwise. */
function encodePorts(container: Container): PortMap {
  if (container.sandbox === undefined) return {};
  const map: PortMap = Object.fromEntries(container.exposedPorts.map((port) => [port, null]));
  for (const port of container.ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    map[key] = [
      ...(map[key] ?? []),
      { HostIp: port.hostAddress, HostPort: port.hostPort === 0 ? '' : String(port.hostPort) },
    ];
  }
  return map;
}

function encodeNetworkSettings(container: Container): NetworkSettings {
  const networks = encodeNetworks(container);
  const { bridge } = networks;
  return {
    Bridge: '',
    SandboxID: container.sandbox?.id ?? '',
    SandboxKey: container.sandbox?.path ?? '',
    Ports: encodePorts(container),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? '',
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? '',
    MacAddress: bridge?.MacAddress ?? '',
    Networks: networks,
  };
}
