import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, unavailable } from '#base';
import { type Mounts, mountMemory } from '#host';

/** Where a secret is seen in its container, and whose it is there. */
export interface SecretPlace {
  /** Absolute and normal. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

/** Most bytes that all secrets of one container take. */
export const secretSpace = 16 * 1024 * 1024;

/**
 * Contents of secrets, each container's on a tmpfs of its own below `directory`, never on a disk: not in a layer, not in
 * a record, and where the kernel can (Linux 6.4) not in swap either. They live as long as their container, daemons may
 * come and go, and end with the host's boot. The file of a secret stays the same one when its content changes, because
 * a running container has that file mounted.
 */
export class SecretFiles {
  readonly #mounts: Mounts;
  readonly #directory: string;

  /** `directory` exists, belongs to root and is closed to everybody else. */
  constructor(mounts: Mounts, directory: string) {
    this.#mounts = mounts;
    this.#directory = directory;
  }

  /** Writes a secret of container `id`. Throws `unavailable` when its container has more than {@link secretSpace}. */
  async write(id: string, place: SecretPlace, content: Uint8Array): Promise<void> {
    await this.#provide(id);
    const path = this.#file(id, place.path);
    const handle = await open(path, 'w', 0o600);
    try {
      await handle.writeFile(content);
    } catch (error) {
      await handle.truncate(0);
      if (errnoOf(error) !== 'ENOSPC') throw error;
      throw unavailable(`no room for ${place.path}: secrets of a container take at most ${secretSpace} bytes`);
    } finally {
      await handle.close();
    }
    await chown(path, place.uid, place.gid);
    await chmod(path, place.mode);
  }

  /** The file to mount for a secret; undefined when its content is gone with an earlier boot. */
  async find(id: string, path: string): Promise<string | undefined> {
    const file = this.#file(id, path);
    try {
      await stat(file);
      return file;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Forgets all secrets of a container; harmless when there are none. */
  async remove(id: string): Promise<void> {
    const target = join(this.#directory, id);
    await this.#mounts.unmount(target, { detach: true });
    await rmdir(target).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
  }

  /** Ids of the containers that have secrets. */
  list(): Promise<string[]> {
    return readdir(this.#directory);
  }

  async #provide(id: string): Promise<void> {
    const target = join(this.#directory, id);
    await mkdir(target, { recursive: true, mode: 0o700 });
    const [inside, outside] = await Promise.all([stat(target), stat(this.#directory)]);
    if (inside.dev !== outside.dev) return;
    await mountMemory(this.#mounts, target, { size: secretSpace });
  }

  #file(id: string, path: string): string {
    return join(this.#directory, id, createHash('sha256').update(path).digest('hex'));
  }
}
