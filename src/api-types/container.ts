import type { ContainerConfig, EndpointSettings, HostConfig, MountType, PortMap } from './container-config.ts';
import type { OciDescriptor } from './descriptor.ts';

/** `State.Status`. */
export type ContainerStateName = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** One run of a health check. Times RFC 3339. */
export interface HealthcheckResult {
  Start: string;
  End: string;
  ExitCode: number;
  Output: string;
}

/** What the health checks say. */
export interface Health {
  Status: 'none' | 'starting' | 'healthy' | 'unhealthy';
  FailingStreak: number;
  /** The last five, oldest first; null before the first. */
  Log: HealthcheckResult[] | null;
}

/** What a container is doing. Times RFC 3339, `0001-01-01T00:00:00Z` for never. */
export interface ContainerState {
  Status: ContainerStateName;
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health?: Health;
}

/** A mount in effect. */
export interface MountPoint {
  Type: MountType;
  /** Volume name. */
  Name?: string;
  Source: string;
  Destination: string;
  Driver?: string;
  Mode: string;
  RW: boolean;
  Propagation: string;
}

/** An address of the deprecated secondary lists. */
export interface NetworkAddress {
  Addr: string;
  PrefixLen: number;
}

/** All networks of a container; the fields beside `Networks` and `Ports` repeat the default bridge's. */
export interface NetworkSettings {
  Bridge: string;
  SandboxID: string;
  SandboxKey: string;
  Ports: PortMap;
  HairpinMode: boolean;
  LinkLocalIPv6Address: string;
  LinkLocalIPv6PrefixLen: number;
  SecondaryIPAddresses: NetworkAddress[] | null;
  SecondaryIPv6Addresses: NetworkAddress[] | null;
  EndpointID: string;
  Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPAddress: string;
  IPPrefixLen: number;
  IPv6Gateway: string;
  MacAddress: string;
  Networks: Record<string, EndpointSettings>;
}

/** Which storage driver holds a container or image, and where. */
export interface DriverData {
  Name: string;
  Data: Record<string, string> | null;
}

/** Answer of GET /containers/{id}/json. */
export interface ContainerInspect {
  Id: string;
  Created: string;
  Path: string;
  Args: string[];
  State: ContainerState;
  /** Image id. */
  Image: string;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath: string;
  /** With a leading slash. */
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  ExecIDs: string[] | null;
  HostConfig: HostConfig;
  GraphDriver: DriverData;
  ImageManifestDescriptor?: OciDescriptor;
  /** Bytes; only with `size`. */
  SizeRw?: number;
  SizeRootFs?: number;
  Mounts: MountPoint[];
  Config: ContainerConfig;
  NetworkSettings: NetworkSettings;
}

/** A port in a container list. */
export interface PortSummary {
  IP?: string;
  PrivatePort: number;
  PublicPort?: number;
  Type: string;
}

/** One entry of GET /containers/json. */
export interface ContainerSummary {
  Id: string;
  /** With leading slashes; links add `/other/alias`. */
  Names: string[];
  /** As asked, or the image id when the name has moved on. */
  Image: string;
  ImageID: string;
  Command: string;
  /** Seconds since the epoch. */
  Created: number;
  Ports: PortSummary[];
  SizeRw?: number;
  SizeRootFs?: number;
  Labels: Record<string, string>;
  State: ContainerStateName;
  /** `Up 5 minutes (healthy)`. */
  Status: string;
  HostConfig: { NetworkMode: string; Annotations?: Record<string, string> };
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
  Mounts: MountPoint[];
  ImageManifestDescriptor?: OciDescriptor;
}

/** Answer of GET /containers/{id}/top. */
export interface ContainerTop {
  Titles: string[];
  Processes: string[][];
}

/** One changed path: 0 changed, 1 added, 2 deleted. */
export interface FilesystemChange {
  Path: string;
  Kind: 0 | 1 | 2;
}

/** Answer of POST /containers/{id}/wait. */
export interface ContainerWait {
  StatusCode: number;
  Error?: { Message: string };
}

/** Answer of POST /containers/prune. Bytes. */
export interface ContainersPruneReport {
  ContainersDeleted: string[] | null;
  SpaceReclaimed: number;
}

/** What the header X-Docker-Container-Path-Stat holds, as base64 of JSON. */
export interface ContainerPathStat {
  name: string;
  size: number;
  /** Go's os.FileMode bits. */
  mode: number;
  mtime: string;
  linkTarget: string;
}

/** Answer of POST /berth/containers/ID/takeover: id of the container whose place was taken. */
export interface ContainerTakeOver {
  From: string;
}

/** Answer of POST /berth/containers/ID/drain: connections that are still open. */
export interface ContainerDrain {
  Open: number;
}
