import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyedLock } from '#base';
import type { Snapshotter } from '#snapshot';

/** Mounted root file systems, counted: a running container holds one, and each `cp`, `export` or `diff` of a stopped one. */
export class RootfsMounts {
  readonly #snapshots: Pick<Snapshotter, 'mount' | 'unmount'>;
  readonly #directory: string;
  readonly #holders = new Map<string, number>();
  readonly #lock = new KeyedLock();

  /** `directory` gets one mount point per snapshot; it must survive a restart of the daemon as the mounts do. */
  constructor(snapshots: Pick<Snapshotter, 'mount' | 'unmount'>, directory: string) {
    this.#snapshots = snapshots;
    this.#directory = directory;
  }

  /** Where `key` is mounted, or would be. */
  path(key: string): string {
    return join(this.#directory, key.replace('sha256:', ''));
  }

  /** Mounts the snapshot `key` unless it is; every call needs one {@link RootfsMounts.release}. Returns the path. */
  acquire(key: string, options: { readonly?: boolean } = {}): Promise<string> {
    return this.#lock.run(key, async () => {
      const path = this.path(key);
      const holders = this.#holders.get(key) ?? 0;
      if (holders === 0) {
        await mkdir(path, { recursive: true, mode: 0o700 });
        await this.#snapshots.mount(key, path, options);
      }
      this.#holders.set(key, holders + 1);
      return path;
    });
  }

  /** Counts a mount that an earlier daemon made for a process that still runs. */
  adopt(key: string): void {
    this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
  }

  /** The last one unmounts. */
  release(key: string): Promise<void> {
    return this.#lock.run(key, async () => {
      const holders = this.#holders.get(key) ?? 0;
      if (holders > 1) {
        this.#holders.set(key, holders - 1);
        return;
      }
      if (holders === 1) await this.discard(key);
      this.#holders.delete(key);
    });
  }

  /** Unmounts whatever a crash left for `key`; nothing there is a success. */
  async discard(key: string): Promise<void> {
    const path = this.path(key);
    await this.#snapshots.unmount(path);
    await rmdir(path).catch(() => undefined);
  }
}
