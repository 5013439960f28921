/** The parts of the OCI runtime-spec (config.md, config-linux.md, v1.0.2) that this engine writes. Field names as on the wire. */
export interface RuntimeSpec {
  ociVersion: string;
  process: RuntimeProcess;
  root: { path: string; readonly: boolean };
  hostname?: string;
  domainname?: string;
  mounts: RuntimeMount[];
  annotations?: Record<string, string>;
  hooks?: Record<string, { path: string; args?: string[]; env?: string[]; timeout?: number }[]>;
  linux: RuntimeLinux;
}

/** `process` of config.md; also the whole document that `crun exec --process` reads. */
export interface RuntimeProcess {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: { uid: number; gid: number; additionalGids?: number[]; umask?: number };
  args: string[];
  env: string[];
  cwd: string;
  capabilities?: Record<'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient', string[]>;
  rlimits?: { type: string; soft: number; hard: number }[];
  noNewPrivileges?: boolean;
  oomScoreAdj?: number;
  apparmorProfile?: string;
  selinuxLabel?: string;
}

/** One entry of `mounts`; options are those of mount(8). */
export interface RuntimeMount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
  /** Ids on disk (`containerID`) to ids seen in the mount (`hostID`); both or none. */
  uidMappings?: RuntimeIdMap[];
  gidMappings?: RuntimeIdMap[];
}

/** `linux` of config-linux.md. */
export interface RuntimeLinux {
  namespaces: { type: 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'cgroup' | 'user'; path?: string }[];
  uidMappings?: RuntimeIdMap[];
  gidMappings?: RuntimeIdMap[];
  devices?: RuntimeDevice[];
  cgroupsPath?: string;
  resources?: RuntimeResources;
  seccomp?: RuntimeSeccomp;
  rootfsPropagation?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  sysctl?: Record<string, string>;
  mountLabel?: string;
}

/** One range of mapped ids. */
export interface RuntimeIdMap {
  containerID: number;
  hostID: number;
  size: number;
}

/** A device node made inside the container. */
export interface RuntimeDevice {
  path: string;
  type: 'c' | 'b' | 'p' | 'u';
  major?: number;
  minor?: number;
  /** Octal mode bits. */
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** `linux.resources`; cgroup v1 names, which runtimes translate on v2. Bytes, microseconds. */
export interface RuntimeResources {
  devices?: { allow: boolean; type?: 'a' | 'b' | 'c'; major?: number; minor?: number; access?: string }[];
  memory?: {
    limit?: number;
    reservation?: number;
    swap?: number;
    kernel?: number;
    swappiness?: number;
    disableOOMKiller?: boolean;
  };
  cpu?: {
    shares?: number;
    quota?: number;
    period?: number;
    realtimeRuntime?: number;
    realtimePeriod?: number;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: number };
  blockIO?: {
    weight?: number;
    weightDevice?: { major: number; minor: number; weight?: number }[];
    throttleReadBpsDevice?: RuntimeThrottle[];
    throttleWriteBpsDevice?: RuntimeThrottle[];
    throttleReadIOPSDevice?: RuntimeThrottle[];
    throttleWriteIOPSDevice?: RuntimeThrottle[];
  };
  hugepageLimits?: { pageSize: string; limit: number }[];
  unified?: Record<string, string>;
}

/** A rate limit of one block device. */
export interface RuntimeThrottle {
  major: number;
  minor: number;
  rate: number;
}

/** `linux.seccomp`. */
export interface RuntimeSeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  syscalls?: {
    names: string[];
    action: string;
    errnoRet?: number;
    args?: { index: number; value: number; valueTwo?: number; op: string }[];
  }[];
}
