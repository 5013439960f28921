/** Go's empty struct: the value of set-like maps. */
export type EmptyObject = Record<string, never>;

/** HEALTHCHECK. Durations are nanoseconds; 0 or absent inherits from the image. */
export interface HealthConfig {
  /** First word `NONE`, `CMD` or `CMD-SHELL`. */
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** What runs in a container, independent of the host. Null lists mean "as the image says". */
export interface ContainerConfig {
  Hostname: string;
  Domainname: string;
  User: string;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  /** Keys such as `80/tcp`. */
  ExposedPorts?: Record<string, EmptyObject>;
  Tty: boolean;
  OpenStdin: boolean;
  StdinOnce: boolean;
  Env: string[] | null;
  Cmd: string[] | null;
  Healthcheck?: HealthConfig;
  ArgsEscaped?: boolean;
  Image: string;
  /** Container paths that get anonymous volumes. */
  Volumes: Record<string, EmptyObject> | null;
  WorkingDir: string;
  Entrypoint: string[] | null;
  NetworkDisabled?: boolean;
  /** Gone after 1.44, where it moved to the endpoint; still read. */
  MacAddress?: string;
  OnBuild: string[] | null;
  Labels: Record<string, string> | null;
  StopSignal?: string;
  /** Seconds. */
  StopTimeout?: number;
  Shell?: string[];
}

/** An address and port of the host; both as text, empty for "any". */
export interface PortBinding {
  HostIp: string;
  HostPort: string;
}

/** `80/tcp` to what the host answers on; null where the port is exposed only. */
export type PortMap = Record<string, PortBinding[] | null>;

/** `--restart`. */
export interface RestartPolicy {
  Name: '' | 'no' | 'always' | 'unless-stopped' | 'on-failure';
  MaximumRetryCount: number;
}

/** `--log-driver` and `--log-opt`. */
export interface LogConfig {
  Type: string;
  Config: Record<string, string> | null;
}

/** `--device`. */
export interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  CgroupPermissions: string;
}

/** `--gpus` and CDI devices. */
export interface DeviceRequest {
  Driver: string;
  /** -1 is all. */
  Count: number;
  DeviceIDs: string[] | null;
  /** Alternatives of sets. */
  Capabilities: string[][] | null;
  Options: Record<string, string> | null;
}

/** `--blkio-weight-device`. */
export interface WeightDevice {
  Path: string;
  Weight: number;
}

/** `--device-read-bps` and its like; bytes or operations a second. */
export interface ThrottleDevice {
  Path: string;
  Rate: number;
}

/** `--ulimit`. */
export interface Ulimit {
  Name: string;
  Soft: number;
  Hard: number;
}

/** What a mount is made from. */
export type MountType = 'bind' | 'volume' | 'tmpfs' | 'image' | 'npipe' | 'cluster';

/** `--mount`. */
export interface MountRequest {
  Type: MountType;
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
    /** Docker's draft for API 1.56: as whose the source's owner's files appear. `User` is `name|uid[:group|gid]`. */
    IDMapping?: { Source?: string; User?: string };
  };
  VolumeOptions?: {
    NoCopy?: boolean;
    Labels?: Record<string, string>;
    Subpath?: string;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  ImageOptions?: { Subpath?: string };
  /** Bytes; mode as decimal of the octal bits. */
  TmpfsOptions?: { SizeBytes?: number; Mode?: number; Options?: string[][] };
}

/** Limits of a container; 0 is "none". Bytes, microseconds. */
export interface Resources {
  CpuShares: number;
  Memory: number;
  /** CPUs times 10^9. */
  NanoCpus: number;
  CgroupParent: string;
  BlkioWeight: number;
  BlkioWeightDevice: WeightDevice[] | null;
  BlkioDeviceReadBps: ThrottleDevice[] | null;
  BlkioDeviceWriteBps: ThrottleDevice[] | null;
  BlkioDeviceReadIOps: ThrottleDevice[] | null;
  BlkioDeviceWriteIOps: ThrottleDevice[] | null;
  CpuPeriod: number;
  CpuQuota: number;
  CpuRealtimePeriod: number;
  CpuRealtimeRuntime: number;
  CpusetCpus: string;
  CpusetMems: string;
  Devices: DeviceMapping[] | null;
  DeviceCgroupRules: string[] | null;
  DeviceRequests: DeviceRequest[] | null;
  KernelMemory?: number;
  KernelMemoryTCP?: number;
  MemoryReservation: number;
  MemorySwap: number;
  MemorySwappiness: number | null;
  OomKillDisable: boolean | null;
  PidsLimit: number | null;
  Ulimits: Ulimit[] | null;
  CpuCount: number;
  CpuPercent: number;
  IOMaximumIOps: number;
  IOMaximumBandwidth: number;
}

/** How a container sits on its host. */
export interface HostConfig extends Resources {
  /** `source:target[:options]`. */
  Binds: string[] | null;
  ContainerIDFile: string;
  LogConfig: LogConfig;
  /** `bridge`, `default`, `host`, `none`, `container:ID`, or a network's name. */
  NetworkMode: string;
  PortBindings: PortMap | null;
  RestartPolicy: RestartPolicy;
  AutoRemove: boolean;
  VolumeDriver: string;
  /** `container[:ro]`. */
  VolumesFrom: string[] | null;
  Mounts?: MountRequest[];
  /** Rows, columns. */
  ConsoleSize: [height: number, width: number];
  Annotations?: Record<string, string>;
  CapAdd: string[] | null;
  CapDrop: string[] | null;
  CgroupnsMode: '' | 'private' | 'host';
  Dns: string[] | null;
  DnsOptions: string[] | null;
  DnsSearch: string[] | null;
  /** `name:ip`. */
  ExtraHosts: string[] | null;
  GroupAdd: string[] | null;
  IpcMode: string;
  Cgroup: string;
  Links: string[] | null;
  OomScoreAdj: number;
  PidMode: string;
  Privileged: boolean;
  PublishAllPorts: boolean;
  ReadonlyRootfs: boolean;
  SecurityOpt: string[] | null;
  StorageOpt?: Record<string, string>;
  /** Path to mount options. */
  Tmpfs?: Record<string, string>;
  UTSMode: string;
  UsernsMode: string;
  /** Bytes. */
  ShmSize: number;
  Sysctls?: Record<string, string>;
  Runtime: string;
  Isolation: string;
  MaskedPaths: string[] | null;
  ReadonlyPaths: string[] | null;
  Init?: boolean;
}

/** Addresses asked for on one network. */
export interface EndpointIpamConfig {
  IPv4Address?: string;
  IPv6Address?: string;
  LinkLocalIPs?: string[];
}

/** A container's place on one network: what was asked, and while it runs what it got. */
export interface EndpointSettings {
  IPAMConfig: EndpointIpamConfig | null;
  Links: string[] | null;
  Aliases: string[] | null;
  DriverOpts: Record<string, string> | null;
  GwPriority: number;
  NetworkID: string;
  EndpointID: string;
  Gateway: string;
  IPAddress: string;
  MacAddress: string;
  IPPrefixLen: number;
  IPv6Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  DNSNames: string[] | null;
}

/** Body of POST /containers/create. Whatever is left out takes its default. */
export interface ContainerCreateRequest extends Partial<ContainerConfig> {
  HostConfig?: Partial<HostConfig>;
  NetworkingConfig?: { EndpointsConfig?: Record<string, Partial<EndpointSettings> | null> };
}

/** Answer of POST /containers/create. */
export interface ContainerCreateResponse {
  Id: string;
  Warnings: string[];
}

/** Body of POST /containers/{id}/update. */
export interface ContainerUpdateRequest extends Partial<Resources> {
  RestartPolicy?: RestartPolicy;
}

/** Answer of POST /containers/{id}/update. */
export interface ContainerUpdateResponse {
  Warnings: string[] | null;
}
