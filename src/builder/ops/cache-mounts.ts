import { chmod, chown, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, hexOf, KeyedLock } from '#base';
import type { RunMount } from '../graph/operation.ts';

/** A directory lent to one RUN. */
export interface BorrowedCache {
  readonly path: string;
  release(): Promise<void>;
}

/** The directories behind `RUN --mount=type=cache`, kept between builds. */
export class CacheMounts {
  readonly #directory: string;
  readonly #locks = new KeyedLock();
  readonly #private = new Set<string>();

  /** `directory` is made when it is first needed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Waits for a `locked` cache that is in use; a `private` one in use gets a directory of its own beside it. */
  async borrow(mount: RunMount, signal: AbortSignal): Promise<BorrowedCache> {
    const name = hexOf(digestOf(mount.id));
    if (mount.sharing === 'locked') return this.#locked(name, mount, signal);
    if (mount.sharing === 'shared') return { path: await this.#directoryOf(name, mount), release: async () => {} };
    let own = name;
    for (let number = 1; this.#private.has(own); number++) own = `${name}-${number}`;
    this.#private.add(own);
    const release = async () => {
      this.#private.delete(own);
    };
    return { path: await this.#directoryOf(own, mount), release };
  }

  /** Removes all caches that no build uses right now; returns how many there were. */
  async clear(): Promise<number> {
    const names = await readdir(this.#directory).catch(() => []);
    for (const name of names) await rm(join(this.#directory, name), { recursive: true, force: true });
    return names.length;
  }

  #locked(name: string, mount: RunMount, signal: AbortSignal): Promise<BorrowedCache> {
    return new Promise((resolve, reject) => {
      void this.#locks.run(name, async () => {
        try {
          signal.throwIfAborted();
          const path = await this.#directoryOf(name, mount);
          await new Promise<void>((done) => resolve({ path, release: async () => done() }));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  async #directoryOf(name: string, mount: RunMount): Promise<string> {
    const path = join(this.#directory, name);
    const made = await mkdir(path, { recursive: true });
    if (made !== undefined) {
      await chown(path, mount.uid, mount.gid);
      await chmod(path, mount.mode);
    }
    return path;
  }
}
