/** Where a path of the host lies in the host's own mount table. */
export interface HostPlace {
  /** The path with all symlinks resolved. */
  readonly path: string;
  /** Mount point of the mount that it is on. */
  readonly mountpoint: string;
  /** As in /proc/PID/mountinfo (proc(5)): `shared:1`, `master:2`; empty for a private mount. */
  readonly propagation: readonly string[];
}

/**
 * Trees of the host's mount namespace, for a process that lives in another one. What is bound from this process's own
 * table only follows the host's mounts; a tree taken from the host stays in their peer groups (mount_namespaces(7)), so
 * that mounts travel both ways.
 */
export interface HostTrees {
  /** Throws `not-found` where the host has nothing. */
  locate(path: string): Promise<HostPlace>;
  /** Puts the tree at the host's `path` onto `target` (made, a directory or a file) of this process's table. */
  attach(path: string, target: string, options: { readonly recursive: boolean }): Promise<void>;
  /** Takes away what {@link attach} put there, and nothing of the host's. Nothing there is a success. */
  detach(target: string): Promise<void>;
}
