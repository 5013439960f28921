import { closeSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '#base';

/** Most kernel files fit; longer ones are read piece by piece. Some refuse a read of megabytes. */
const buffer = Buffer.allocUnsafeSlow(16_384);

/**
 * Content of a small file that the kernel makes up while it is read (/proc, /sys), without the thread pool: three calls
 * of a few microseconds each where `readFile` has five, each with a hand-over. Never for a file on a disk, which may
 * wait. Undefined when the file or what it tells of is gone; other errors are thrown.
 */
export function readKernelFile(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return ignoreGone(error);
  }
  try {
    let text = '';
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.length, null);
      // A short read is not the end: the kernel gives whole records.
      if (count === 0) return text;
      text += buffer.toString('latin1', 0, count);
    }
  } catch (error) {
    return ignoreGone(error);
  } finally {
    closeSync(fd);
  }
}

function ignoreGone(error: unknown): undefined {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ENODEV' || code === 'ESRCH' || code === 'ENOTDIR') return undefined;
  throw error;
}
