import { closeSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '#base';

/** One page is what most kernel files fill at most; longer ones are read on. */
let buffer = Buffer.allocUnsafeSlow(8192);

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
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      // A short read is not the end: seq_file gives whole records.
      if (count === 0) return buffer.toString('latin1', 0, length);
      if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
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
