/**
 * Layer snapshots, after containerd's model.
 *
 * A *committed* snapshot is an immutable directory tree on top of its parent; an *active* one is writable and has a
 * committed parent or none. `key` names any snapshot; a committed layer's key is its chain id (OCI config.md, "Layer
 * ChainID"), so equal stacks are stored once. Mounts are data: whoever runs something applies them.
 *
 * Unpacking a layer: `prepare(tmpKey, parentChainId)`, write into `directory(tmpKey)`, `commit(chainId, tmpKey)`.
 * Running: `prepare(containerId, chainId)`, `mount(containerId, target)`, ..., `unmount(target)`, `remove(containerId)`.
 */
export interface SnapshotInfo {
  readonly key: string;
  readonly kind: 'active' | 'committed';
  /** Key of the parent; undefined for a base layer. */
  readonly parent: string | undefined;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** One mount call, as data; `options` as in mount(8). */
export interface SnapshotMount {
  readonly type: 'overlay' | 'bind';
  readonly source: string;
  readonly options: readonly string[];
}

/** What one snapshot's own changes take, each inode counted once. */
export interface SnapshotUsage {
  /** Bytes in files: how Docker counts a layer. */
  readonly bytes: number;
  /** Bytes that the file system has given to files and directories, in whole blocks: what du(1) shows. */
  readonly diskBytes: number;
  readonly inodes: number;
}

/** How to mount a snapshot. */
export interface MountOptions {
  readonly readonly?: boolean;
  /**
   * Nothing in it is worth a sync before it is committed: fsync(2) inside does nothing, and unmounting does not write
   * the whole file system out first (kernel, overlayfs.rst, "Volatile mount"; from 5.10 on, without effect before).
   * A snapshot that was mounted so is mounted once: the kernel refuses its work directory afterwards.
   */
  readonly volatile?: boolean;
}

/** Keeps snapshots of one storage driver. All methods may run at the same time for different keys. */
export interface Snapshotter {
  /** Driver name as `docker info` shows it: `overlay2`. */
  readonly driver: string;
  /** Throws `not-found`. */
  stat(key: string): Promise<SnapshotInfo>;
  has(key: string): Promise<boolean>;
  /**
   * Makes a writable snapshot. Throws `conflict` if `key` exists, `not-found` if the parent does not or is active.
   * With `size`, its own changes cannot take more than so many bytes: it is never committed, throws `invalid` for a size
   * too small or too large, and `unavailable` where the host cannot bound it.
   */
  prepare(key: string, parent?: string, options?: { size?: number }): Promise<SnapshotInfo>;
  /**
   * Freezes the active snapshot `key` as `name`, after syncing its files. If `name` exists already, `key` is dropped
   * instead (somebody else unpacked the same layer). Throws `not-found`.
   *
   * With `onto`, a snapshot that was prepared without a parent gets that committed one: a layer can be unpacked before
   * it is known what it stands on. Its root directory keeps its mode and owner when `keepRoot`, else takes the parent's.
   */
  commit(name: string, key: string, options?: { onto?: string; keepRoot?: boolean }): Promise<SnapshotInfo>;
  /** What to mount to see the snapshot whole. Throws `not-found`. */
  mounts(key: string, options?: MountOptions): Promise<SnapshotMount[]>;
  /** Mounts it at `target`, which must be an existing directory. */
  mount(key: string, target: string, options?: MountOptions): Promise<void>;
  /** Unmounts whatever is mounted at `target`; nothing there is a success. */
  unmount(target: string): Promise<void>;
  /** The directory that holds only this snapshot's own changes (overlay upper form: char 0/0 whiteouts, opaque xattrs). */
  directory(key: string): Promise<string>;
  /** What its own changes take. */
  usage(key: string): Promise<SnapshotUsage>;
  /** Removes; one that is not there is a success. Throws `conflict` while another snapshot has it as parent. */
  remove(key: string): Promise<void>;
  /** All snapshots, parents before children. */
  list(): Promise<SnapshotInfo[]>;
  /** Removes what a crash left: directories without a record, records without a directory. Call once, at start. */
  reconcile(): Promise<{ removed: string[] }>;
}
