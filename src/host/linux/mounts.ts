import { readFile } from 'node:fs/promises';
import { isBerthError, unavailable } from '#base';
import type { MountEntry, MountRequest, Mounts } from '../host.ts';
import { checkAsync, libc } from './libc.ts';
import { mountFlags, parseMountOptions } from './mount-options.ts';
import { parseMountTable } from './mount-table.ts';

const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
/** The kernel copies at most one page of data, its closing NUL included. */
const maxDataBytes = 4095;

/** What a remount of a bind must repeat, because the kernel replaces all of these bits at once (mount(2), MS_REMOUNT). */
const keptByRemount: Readonly<Record<string, number>> = {
  ro: mountFlags.RDONLY,
  nosuid: mountFlags.NOSUID,
  nodev: mountFlags.NODEV,
  noexec: mountFlags.NOEXEC,
  nosymfollow: mountFlags.NOSYMFOLLOW,
  noatime: mountFlags.NOATIME,
  nodiratime: mountFlags.NODIRATIME,
  relatime: mountFlags.RELATIME,
};

/**
 * Mounts by mount(2) and umount2(2) in this process's mount namespace. Calls run on a thread of the pool: a server that
 * does not answer holds up nothing else.
 */
export function createMounts(): Mounts {
  return new LinuxMounts();
}

class LinuxMounts implements Mounts {
  async mount(request: MountRequest): Promise<void> {
    const { flags, data, propagation } = parseMountOptions(request.options);
    if (Buffer.byteLength(data) > maxDataBytes) {
      throw unavailable(`mount ${request.target}: the options take more than ${maxDataBytes} bytes`, {
        details: { errno: 'EINVAL' },
      });
    }
    const call = (bits: number, text: string | null) =>
      checkAsync(
        `mount ${request.source} on ${request.target} (${request.type})`,
        libc.mount,
        request.source,
        request.target,
        request.type,
        bits,
        text,
      );
    const bind = (flags & mountFlags.BIND) !== 0;
    await call(flags, data === '' ? null : data);
    try {
      // The call that makes a bind ignores every other flag: those need a remount (mount(2), "Creating a bind mount").
      const extra = flags & ~(mountFlags.BIND | mountFlags.REC | mountFlags.REMOUNT | mountFlags.SILENT);
      if (bind && extra !== 0 && (flags & mountFlags.REMOUNT) === 0) {
        const kept = await this.#flagsAt(request.target);
        await call(mountFlags.BIND | mountFlags.REMOUNT | kept | extra, null);
      }
      for (const bits of propagation) await call(bits, null);
    } catch (error) {
      if ((flags & mountFlags.REMOUNT) === 0) await this.unmount(request.target, { detach: true });
      throw error;
    }
  }

  async unmount(target: string, options: { detach?: boolean } = {}): Promise<void> {
    try {
      await checkAsync(`unmount ${target}`, libc.umount2, target, UMOUNT_NOFOLLOW | (options.detach ? MNT_DETACH : 0));
    } catch (error) {
      const errno = isBerthError(error) ? error.details.errno : undefined;
      // EINVAL: not a mount point (umount2(2)).
      if (errno !== 'EINVAL' && errno !== 'ENOENT') throw error;
    }
  }

  async list(): Promise<MountEntry[]> {
    return parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'));
  }

  async #flagsAt(target: string): Promise<number> {
    const entry = (await this.list()).findLast((candidate) => candidate.target === target);
    return (entry?.options ?? []).reduce((bits, word) => bits | (keptByRemount[word] ?? 0), 0);
  }
}
