import type { Digest } from '#base';
import type { Endpoint, EndpointRequest, PortBinding, PortRequest } from '#network';
import type { Healthcheck } from '#oci';

/** What the main process of a container is. Image defaults are already merged in. */
export interface ProcessSettings {
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  /** `KEY=value`. */
  readonly env: readonly string[];
  readonly workingDir: string;
  /** `name|uid[:group|gid]`, empty for root; resolved against the container's own files at start. */
  readonly user: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  /** Signal name or number; empty is SIGTERM. */
  readonly stopSignal: string;
  /** Seconds `stop` waits; undefined is 10, -1 for ever. */
  readonly stopTimeout?: number;
  readonly shell?: readonly string[];
}

/** One `-v` or `--mount`. */
export interface MountSettings {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image' | 'npipe' | 'cluster';
  /** Host path, volume name (empty: anonymous), or image. */
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  /** From `Binds` strings: a missing host directory is made. From `Mounts`: it is an error unless createSource. */
  readonly createSource: boolean;
  /** True when it came from the image's VOLUME. */
  readonly fromImage?: boolean;
  readonly propagation?: string;
  readonly nonRecursive?: boolean;
  readonly readonlyNonRecursive?: boolean;
  readonly readonlyForceRecursive?: boolean;
  /** Whose files those of the source's owner appear as: the container's user, or `user` (`name|uid[:group|gid]`). */
  readonly idMapping?: { readonly source: 'match-user'; readonly user?: string };
  readonly noCopy?: boolean;
  readonly subpath?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly driver?: { readonly name: string; readonly options: Readonly<Record<string, string>> };
  readonly tmpfs?: {
    readonly sizeBytes?: number;
    readonly mode?: number;
    readonly options?: readonly (readonly string[])[];
  };
  /** The mode words of a bind string as asked (`ro`, `z`, `rslave`), for inspect. */
  readonly mode?: string;
}

/** Limits, all optional; 0 or undefined is "none". Bytes, microseconds. */
export interface ResourceSettings {
  readonly memory?: number;
  readonly memorySwap?: number;
  readonly memoryReservation?: number;
  readonly kernelMemory?: number;
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  readonly nanoCpus?: number;
  readonly cpuShares?: number;
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuRealtimePeriod?: number;
  readonly cpuRealtimeRuntime?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
  readonly blkioWeight?: number;
  readonly blkioWeightDevice?: readonly { readonly path: string; readonly weight: number }[];
  readonly blkioDeviceReadBps?: readonly { readonly path: string; readonly rate: number }[];
  readonly blkioDeviceWriteBps?: readonly { readonly path: string; readonly rate: number }[];
  readonly blkioDeviceReadIOps?: readonly { readonly path: string; readonly rate: number }[];
  readonly blkioDeviceWriteIOps?: readonly { readonly path: string; readonly rate: number }[];
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
}

/** `--restart`. */
export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'on-failure' | 'unless-stopped';
  /** For on-failure; 0 is without end. */
  readonly maximumRetryCount: number;
}

/** What the host gives to, or keeps from, the container. Empty string modes mean the default. */
export interface HostSettings {
  readonly mounts: readonly MountSettings[];
  /** `name[:ro]` of containers whose mounts are taken over. */
  readonly volumesFrom: readonly string[];
  readonly volumeDriver: string;
  /** `bridge`, `default`, `host`, `none`, `container:ID`, or a network's name. */
  readonly networkMode: string;
  readonly ports: readonly PortRequest[];
  readonly publishAllPorts: boolean;
  readonly restart: RestartPolicy;
  readonly autoRemove: boolean;
  readonly log: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  /** As asked: `seccomp=unconfined`, `no-new-privileges`, ... */
  readonly securityOpt: readonly string[];
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly extraHosts: readonly string[];
  readonly groupAdd: readonly string[];
  readonly links: readonly string[];
  readonly ipcMode: string;
  readonly pidMode: string;
  readonly utsMode: string;
  readonly usernsMode: string;
  readonly cgroupnsMode: string;
  readonly cgroupParent: string;
  readonly oomScoreAdj: number;
  readonly shmSize: number;
  readonly sysctls: Readonly<Record<string, string>>;
  /** Path in the container to tmpfs options. */
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly devices: readonly {
    readonly pathOnHost: string;
    readonly pathInContainer: string;
    readonly permissions: string;
  }[];
  readonly deviceCgroupRules: readonly string[];
  readonly deviceRequests: readonly {
    readonly driver: string;
    readonly count: number;
    readonly deviceIds: readonly string[];
    readonly capabilities: readonly (readonly string[])[];
    readonly options: Readonly<Record<string, string>>;
  }[];
  readonly storageOpt: Readonly<Record<string, string>>;
  readonly runtime: string;
  readonly init: boolean | undefined;
  readonly containerIdFile: string;
  readonly consoleSize: readonly [height: number, width: number];
  readonly annotations: Readonly<Record<string, string>>;
  readonly resources: ResourceSettings;
}

/** Settings that a request and its container have alike. */
interface ContainerSettings {
  readonly hostname: string;
  readonly domainname: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[];
  /** Container paths that get anonymous volumes. */
  readonly volumes: readonly string[];
  readonly healthcheck?: Healthcheck;
  readonly onBuild?: readonly string[];
  readonly networkDisabled: boolean;
  readonly host: HostSettings;
}

/** What a client asks for at create; `null` and undefined parts come from the image. */
export interface ContainerRequest extends ContainerSettings {
  /** Without a leading slash; undefined lets the engine pick an `adjective_surname`. */
  readonly name?: string;
  readonly image: string;
  readonly platform?: string;
  readonly process: Omit<ProcessSettings, 'entrypoint' | 'cmd' | 'workingDir' | 'stopSignal'> & {
    readonly entrypoint: readonly string[] | null | undefined;
    readonly cmd: readonly string[] | null | undefined;
    readonly workingDir: string;
    readonly stopSignal: string;
  };
  readonly macAddress?: string;
  /** By network name. */
  readonly endpoints: Readonly<Record<string, Omit<EndpointRequest, 'network'>>>;
}

/** Docker's `State.Status`. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** One probe's result. Times are ms since the epoch. */
export interface HealthProbe {
  readonly start: number;
  readonly end: number;
  readonly exitCode: number;
  readonly output: string;
}

/** State that changes while the container lives; durable before it is announced. */
export interface ContainerState {
  readonly status: ContainerStatus;
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Why the last start failed, else empty. */
  readonly error: string;
  /** ms since the epoch; undefined if never. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly restartCount: number;
  /** The user asked it to stop: restart policies `unless-stopped` and `on-failure` heed this. */
  readonly stoppedByUser: boolean;
  readonly health?: {
    readonly status: 'starting' | 'healthy' | 'unhealthy';
    readonly failingStreak: number;
    readonly log: readonly HealthProbe[];
  };
}

/** A mount as it is in effect (inspect's `Mounts`). */
export interface MountPoint {
  readonly type: MountSettings['type'];
  readonly name?: string;
  readonly source: string;
  readonly destination: string;
  readonly driver?: string;
  readonly mode: string;
  readonly rw: boolean;
  readonly propagation: string;
}

/** A container: its settings never change but by update and rename, its state is a snapshot taken when read. */
export interface Container extends ContainerSettings {
  /** 64 hex digits. */
  readonly id: string;
  /** Without the slash that the API puts in front. */
  readonly name: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** The image's name as asked, and what it was then. */
  readonly image: string;
  readonly imageId: Digest;
  readonly process: ProcessSettings;
  readonly mountPoints: readonly MountPoint[];
  readonly state: ContainerState;
  /** What is asked per network; `active` is what it has while it runs. */
  readonly networks: Readonly<
    Record<
      string,
      { readonly request: Omit<EndpointRequest, 'network'>; readonly networkId?: string; readonly active?: Endpoint }
    >
  >;
  readonly ports: readonly PortBinding[];
  readonly sandbox?: { readonly id: string; readonly path: string };
  /** Files on the host, for inspect. */
  readonly paths: {
    readonly log: string;
    readonly hosts: string;
    readonly hostname: string;
    readonly resolvConf: string;
  };
  readonly execIds: readonly string[];
}
