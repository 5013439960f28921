import type { Readable } from 'node:stream';
import type { Builder } from '#builder';
import type { Containers, EventJournal, Execs, ProjectHistory, ProjectLogs, ProjectTurns } from '#engine';
import type { BootstrapSpec, Image, ImageStore, RegistryCredentials } from '#image';
import type { Networks } from '#network';
import type { Descriptor, Platform } from '#oci';
import type { VolumeService } from '#volume';

/** A part of the engine with its version, for `docker version`. */
export interface EngineComponent {
  readonly name: string;
  readonly version: string;
  readonly details: Readonly<Record<string, string>>;
}

/** What the engine knows of itself and its host; counts of objects are added by the API. */
export interface EngineFacts {
  /** Stable id of this engine's data root. */
  readonly id: string;
  readonly version: string;
  readonly gitCommit: string;
  /** RFC 3339; empty when unknown. */
  readonly buildTime: string;
  readonly components: readonly EngineComponent[];
  readonly hostname: string;
  readonly kernelVersion: string;
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** As `uname -m`. */
  readonly machine: string;
  /** Go's name, `amd64`. */
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly dataRoot: string;
  readonly storage: { readonly driver: string; readonly status: readonly (readonly [string, string])[] };
  readonly cgroup: { readonly driver: 'cgroupfs' | 'systemd' | 'none'; readonly version: '1' | '2' };
  /** Which limits the kernel can enforce. */
  readonly limits: {
    readonly memory: boolean;
    readonly swap: boolean;
    readonly cpuPeriod: boolean;
    readonly cpuQuota: boolean;
    readonly cpuShares: boolean;
    readonly cpuSet: boolean;
    readonly pids: boolean;
    readonly oomKillDisable: boolean;
  };
  readonly ipv4Forwarding: boolean;
  readonly runtimes: readonly { readonly name: string; readonly path: string }[];
  readonly defaultRuntime: string;
  readonly drivers: {
    readonly volume: readonly string[];
    readonly network: readonly string[];
    readonly log: readonly string[];
  };
  readonly defaultLogDriver: string;
  /** Where device vendors put CDI files. */
  readonly cdiDirectories: readonly string[];
  readonly securityOptions: readonly string[];
  readonly labels: readonly string[];
  readonly registry: { readonly mirrors: readonly string[]; readonly insecure: readonly string[] };
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  readonly firewall?: string;
  readonly debug: boolean;
  readonly experimental: boolean;
  readonly initBinary: string;
  readonly openFiles: number;
  readonly eventListeners: number;
  readonly warnings: readonly string[];
}

/** The engine as a whole: `/info`, `/version`, `/system/df`. */
export interface SystemPort {
  facts(): Promise<EngineFacts>;
  /** Bytes of all image layers on disk, shared ones counted once. */
  layersSize(): Promise<number>;
  /** A client introduced itself: what it asks next may start something. */
  greeted(): void;
  /** Why no checkpoint can be made or restored on this host. */
  whyNoCheckpoints(): Promise<string>;
}

/** Questions that go to a registry without changing the store. */
export interface RegistryPort {
  /** Checks credentials. Throws `unauthorized` with the registry's words, `unavailable` when it does not answer. */
  login(credentials: RegistryCredentials): Promise<{ status: string; identityToken?: string }>;
  /** Descriptor and platforms of a remote image. Throws `not-found`, `unauthorized`, `unavailable`. */
  inspect(
    name: string,
    options: { credentials?: RegistryCredentials; signal: AbortSignal },
  ): Promise<{ descriptor: Descriptor; platforms: Platform[] }>;
  /** Searches the default registry's index. */
  search(
    term: string,
    options: { limit: number; filters: Readonly<Record<string, readonly string[]>>; credentials?: RegistryCredentials },
  ): Promise<{ name: string; description: string; official: boolean; stars: number }[]>;
  /** Fetches a tar for `import` or a remote build context from a URL. */
  download?(url: string, signal: AbortSignal): Promise<Readable>;
}

/** Making base images from the packages of a distribution. */
export interface BootstrapPort {
  /** Throws `invalid` for a bad name, `unavailable` when packages cannot be had. `onLine` hears the tools' output. */
  make(
    spec: BootstrapSpec,
    options: { readonly onLine: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<Image>;
}

/** Everything the API serves. What is optional answers 501 when it is not given. */
export interface ApiPorts {
  readonly containers: Containers;
  readonly execs: Execs;
  /** Revisions of Compose projects. */
  readonly history: ProjectHistory;
  /** Whose turn it is to change a Compose project. */
  readonly turns: ProjectTurns;
  /** Logs of earlier containers of Compose projects. */
  readonly projectLogs: ProjectLogs;
  readonly events: EventJournal;
  readonly images: ImageStore;
  readonly networks: Networks;
  readonly volumes: VolumeService;
  readonly builder: Builder;
  readonly system: SystemPort;
  readonly registry?: RegistryPort;
  readonly bootstrap?: BootstrapPort;
}
