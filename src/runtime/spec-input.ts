import type { RuntimeDevice, RuntimeMount, RuntimeResources, RuntimeSeccomp, RuntimeSpec } from '#oci';

/** Where a namespace comes from: a fresh one, the host's, or the one bound at a path (`/proc/PID/ns/x` or a pinned file). */
export type NamespaceSource = 'private' | 'host' | { readonly path: string };

/**
 * All that a container's OCI spec is made of, resolved: ids are numbers, names are paths, defaults are applied by
 * `buildRuntimeSpec`, which adds what every container gets (proc, sys, dev, masked paths, default capabilities and
 * seccomp profile, device rules).
 */
export interface SpecInput {
  /** Absolute path of the mounted root file system. */
  readonly rootfs: string;
  readonly readonlyRootfs: boolean;
  readonly hostname: string;
  readonly domainname?: string;
  readonly process: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
    readonly terminal: boolean;
    readonly consoleSize?: { readonly height: number; readonly width: number };
  };
  /** Beyond the standard ones, in order; an entry for `/dev/shm`, `/dev` or `/sys/fs/cgroup` replaces the standard one. */
  readonly mounts: readonly RuntimeMount[];
  readonly namespaces: {
    readonly pid: NamespaceSource;
    readonly network: NamespaceSource;
    readonly ipc: NamespaceSource;
    readonly uts: NamespaceSource;
    readonly cgroup: NamespaceSource;
  };
  readonly security: {
    readonly privileged: boolean;
    /** Names with or without `CAP_`; `ALL` allowed. */
    readonly capAdd: readonly string[];
    readonly capDrop: readonly string[];
    readonly seccomp: 'default' | 'unconfined' | RuntimeSeccomp;
    readonly noNewPrivileges: boolean;
    readonly apparmorProfile?: string;
    /** `undefined` keeps the standard list. */
    readonly maskedPaths?: readonly string[];
    readonly readonlyPaths?: readonly string[];
    /** /sys/fs/cgroup can be written though the container is not privileged. */
    readonly writableCgroups?: boolean;
  };
  readonly resources: RuntimeResources;
  readonly devices: readonly (RuntimeDevice & { readonly access: string })[];
  readonly deviceRules: readonly {
    readonly type: 'a' | 'b' | 'c';
    readonly major?: number;
    readonly minor?: number;
    readonly access: string;
  }[];
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly oomScoreAdj: number;
  /** Bytes of /dev/shm; 0 mounts none. */
  readonly shmSize: number;
  /** Path of an init program to run as pid 1 in front of args. */
  readonly initPath?: string;
  /** Absolute, from the root of each hierarchy: `/berth/ID`. */
  readonly cgroupPath: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Programs of the host that the runtime runs, by the name of the moment (config.md, POSIX-platform Hooks). */
  readonly hooks?: Readonly<Record<string, NonNullable<RuntimeSpec['hooks']>[string]>>;
}
