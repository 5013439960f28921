import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, isBerthError, KeyedLock, unavailable } from '#base';
import type { Mounts, Processes } from '#host';

/** Below this, mke2fs(8) leaves no room for files. */
const minBytes = 8 * 1024 * 1024;
const mebibyte = 1024 * 1024;

/**
 * Bounded file systems for snapshots with a size: ext4 in a sparse file `disk` of the snapshot's directory, shown at
 * `volume` beside it while somebody needs it. An overlay keeps the file system of its upper directory alive by itself
 * (the kernel clones that mount), so the mount at `volume` goes as soon as the overlay is there, and with the overlay
 * goes the loop device. `directory` is that of one snapshot everywhere.
 */
export class SizedVolumes {
  readonly #mounts: Mounts;
  readonly #processes: Processes;
  readonly #lock = new KeyedLock();
  /** How many need it shown now. */
  readonly #users = new Map<string, number>();

  constructor(mounts: Mounts, processes: Processes) {
    this.#mounts = mounts;
    this.#processes = processes;
  }

  /** Where a volume is shown. */
  path(directory: string): string {
    return join(directory, 'volume');
  }

  /**
   * Makes the file system, `bytes` with its own tables, and does not show it yet.
   * Throws `invalid` for a size too small, `unavailable` where mkfs.ext4 is missing or fails.
   */
  async create(directory: string, bytes: number): Promise<void> {
    if (bytes < minBytes) throw invalid(`storage size ${bytes} is too small: the least is ${minBytes} bytes (8m)`);
    const disk = diskOf(directory);
    const file = await open(disk, 'wx', 0o600);
    try {
      await file.truncate(bytes);
    } catch {
      throw invalid(`storage size ${bytes}: the file system of ${directory} holds no file that large`);
    } finally {
      await file.close();
    }
    await mkdir(this.path(directory), { mode: 0o700 });
    // No blocks for root alone, and the smallest journal: what is asked for is for files.
    const journal = bytes < 256 * mebibyte ? ['-J', 'size=1', '-b', '1024'] : ['-J', 'size=4', '-b', '4096'];
    await this.#run('mkfs.ext4', ['-q', '-F', '-m', '0', ...journal, '-E', 'lazy_itable_init=1', disk]);
  }

  /** Shows it until `body` has ended. Throws `unavailable` where it cannot be mounted. */
  async use<T>(directory: string, body: () => Promise<T>): Promise<T> {
    await this.hold(directory);
    try {
      return await body();
    } finally {
      await this.#release(directory);
    }
  }

  /** Shows it until {@link SizedVolumes.discard}. */
  hold(directory: string): Promise<void> {
    return this.#lock.run(directory, async () => {
      const users = this.#users.get(directory) ?? 0;
      if (users === 0) await this.#show(directory);
      this.#users.set(directory, users + 1);
    });
  }

  /** Takes a volume, if it is one, out of sight whoever holds it: before its directory is removed. */
  discard(directory: string): Promise<void> {
    return this.#lock.run(directory, async () => {
      this.#users.delete(directory);
      await this.#mounts.unmount(this.path(directory), { detach: true });
    });
  }

  /** Bytes of the disk that it takes by now. */
  async diskBytes(directory: string): Promise<number> {
    return (await stat(diskOf(directory))).blocks * 512;
  }

  async #show(directory: string): Promise<void> {
    const target = this.path(directory);
    // A daemon that was killed may have left it.
    if ((await this.#mounts.list()).some((mount) => mount.target === target)) return;
    // mount(8) takes the loop device that an overlay holds already, so that no two see the same file.
    // What is deleted inside is given back to the host's disk.
    await this.#run('mount', ['-t', 'ext4', '-o', 'loop,discard', diskOf(directory), target]);
  }

  #release(directory: string): Promise<void> {
    return this.#lock.run(directory, async () => {
      const users = this.#users.get(directory) ?? 0;
      if (users > 1) this.#users.set(directory, users - 1);
      if (users !== 1) return;
      this.#users.delete(directory);
      await this.#mounts.unmount(this.path(directory), { detach: true });
    });
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const remedy = 'a storage size needs mkfs.ext4 (package e2fsprogs) and loop devices on this host';
    const { code, stderr } = await this.#processes.run(program, args).catch((error: unknown) => {
      throw isBerthError(error) ? unavailable(`${remedy}: ${error.message}`) : error;
    });
    if (code !== 0) throw unavailable(`${remedy}: ${program}: ${stderr.trim()}`);
  }
}

function diskOf(directory: string): string {
  return join(directory, 'disk');
}
