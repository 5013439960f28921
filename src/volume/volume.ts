import type { Readable } from 'node:stream';

/** A volume as users see it. */
export interface Volume {
  readonly name: string;
  readonly driver: string;
  /** Directory on the host that is mounted into containers. */
  readonly mountpoint: string;
  /** ms since the epoch; 0 where only a plugin could know. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** `global` when a plugin's volume is the same on every host. */
  readonly scope: 'local' | 'global';
  /** What a plugin has to say of it. */
  readonly status?: Readonly<Record<string, unknown>>;
  /** Made for a container without a name being asked. */
  readonly anonymous: boolean;
}

/** Volumes and who uses them. */
export interface VolumeService {
  /**
   * Returns the existing volume of that name, also one that only a plugin knows of; throws `conflict` when it is of another
   * driver than the one asked for, `invalid` for bad options.
   */
  create(request: {
    name?: string;
    driver?: string;
    labels?: Readonly<Record<string, string>>;
    options?: Readonly<Record<string, string>>;
  }): Promise<Volume>;
  /**
   * Makes a volume with the data that `source` has now. At once, whatever the size, while nothing has the source mounted:
   * its data is frozen and shared, and each volume writes into a directory of its own. Otherwise by a copy.
   * Throws `not-found`, `conflict` for a taken name, `invalid` for a source with options or of another driver.
   */
  clone(source: string, request: { name: string; labels?: Readonly<Record<string, string>> }): Promise<Volume>;
  /**
   * A tar of all that is in the volume, the volume's directory first (`./`): owners, modes, times in nanoseconds, attributes,
   * access lists, hard links, holes, devices; no sockets. Until the stream ends the volume is in use and cannot be
   * removed. Nothing is halted for it: each file is read when its turn comes, so what is written meanwhile may be in it
   * or not. Throws `not-found`, `unavailable` when the volume cannot be mounted.
   */
  export(name: string, options?: { signal?: AbortSignal }): Promise<Readable>;
  /**
   * Fills a volume from a tar (plain or compressed) as `export` makes it, with all that the archive says; makes the volume
   * when there is none. All or nothing: the volume gets its data at one stroke, after the archive is read to its end.
   * Throws `invalid` for a bad archive and for a volume with options or of another driver, `conflict` when the volume has
   * data or is mounted.
   */
  import(
    name: string,
    archive: Readable,
    options?: { labels?: Readonly<Record<string, string>>; signal?: AbortSignal },
  ): Promise<Volume>;
  /** Throws `not-found`; `conflict` when a container uses it or the new name is taken. */
  rename(name: string, newName: string): Promise<Volume>;
  /** Also one that only a plugin knows of. Throws `not-found` ("get X: no such volume"). */
  get(name: string): Promise<Volume>;
  /** Those that were made here. */
  list(): Promise<Volume[]>;
  /**
   * Those that were made here, then those that plugins have besides; a warning for each plugin that does not answer
   * within 5 s.
   */
  survey(): Promise<{ readonly volumes: Volume[]; readonly warnings: string[] }>;
  /** Also one that only a plugin knows of. Throws `conflict` naming the containers that use it ("remove X: volume is in use - [ids]"). */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** Records that `user` (a container id) needs the volume; released with the user. Durable. */
  acquire(name: string, user: string): Promise<void>;
  release(user: string): Promise<void>;
  users(name: string): string[];
  /** Makes it ready for use (mounts tmpfs, nfs, ... of the local driver's options) and returns the directory; counted. */
  mount(name: string, user: string): Promise<string>;
  /** Takes over what an earlier daemon mounted for a user that goes on. */
  adopt(name: string, user: string): Promise<void>;
  unmount(name: string, user: string): Promise<void>;
  /**
   * Copies `source` (a directory of an image) into the volume when it is empty, owner, mode and xattrs included, once;
   * a crash half-way leaves it empty again.
   */
  copyUp(name: string, source: string): Promise<void>;
  /** Bytes used; -1 for a volume of a plugin, where nobody knows. */
  size(name: string): Promise<number>;
  reconcile(usersAlive: ReadonlySet<string>): Promise<void>;
}
