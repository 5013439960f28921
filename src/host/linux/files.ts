import { closeSync, constants, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { unavailable } from '#base';
import { check, checkAsync, lastErrno, libc } from './libc.ts';
import { socketCalls } from './socket-calls.ts';

/** A path as text, or as its bytes where a name is not UTF-8. */
export type HostPath = string | Buffer;

/** A point in time as the kernel keeps it (struct timespec): whole seconds since the epoch, and nanoseconds from 0 on. */
export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** File type bits of a mode (inode(7)), octal. */
export const fileTypes = {
  fifo: 0o010000,
  character: 0o020000,
  block: 0o060000,
} as const;

const atCurrentDirectory = -100;
const symlinkNoFollow = 0x100;
const cloneFs = 0x200;
/** linux/fs.h: reads and sets the flags that chattr(1) shows. */
const getInodeFlags = 0x80086601n;
const setInodeFlags = 0x40086602n;
const topDirectoryFlag = 0x00020000;
const noXattr: ReadonlySet<string> = new Set(['ENODATA', 'ENOTSUP', 'EOPNOTSUPP']);

function bytesOf(path: HostPath): HostPath {
  return typeof path === 'string' ? path : Buffer.concat([path, Buffer.alloc(1)]);
}

/** glibc's gnu_dev_makedev: the device number as mknod(2) takes it. */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

/**
 * Makes a device node or fifo: `mode` is one of {@link fileTypes} and permission bits, less the umask (mknod(2)).
 * Blocks; meant for worker threads. Throws `unavailable` with the errno.
 */
export function makeNode(path: HostPath, mode: number, device: { major: number; minor: number }): void {
  check(`mknod ${path}`, () => libc.mknod(bytesOf(path), mode, deviceNumber(device.major, device.minor)));
}

const times = new Int32Array(8);

function fillTimes(access: FileTime, change: FileTime): Int32Array {
  times[0] = access.seconds % 2 ** 32;
  times[1] = Math.floor(access.seconds / 2 ** 32);
  times[2] = access.nanoseconds;
  times[4] = change.seconds % 2 ** 32;
  times[5] = Math.floor(change.seconds / 2 ** 32);
  times[6] = change.nanoseconds;
  return times;
}

/** Sets access and modification time, of a symlink itself too (utimensat(2)). Blocks. Throws `unavailable`. */
export function setFileTimes(path: HostPath, access: FileTime, modification: FileTime): void {
  const value = fillTimes(access, modification);
  check(`utimensat ${path}`, () => libc.utimensat(atCurrentDirectory, bytesOf(path), value, symlinkNoFollow));
}

/** As {@link setFileTimes}, for an open file. */
export function setDescriptorTimes(fd: number, access: FileTime, modification: FileTime): void {
  const value = fillTimes(access, modification);
  check('futimens', () => libc.futimens(fd, value));
}

/** Sets an extended attribute, of a symlink itself too (lsetxattr(2)). Blocks. Throws `unavailable` with the errno. */
export function setXattr(path: HostPath, name: string, value: Uint8Array): void {
  check(`setxattr ${path} ${name}`, () => libc.lsetxattr(bytesOf(path), name, value, value.length, 0));
}

/** Value of an extended attribute, undefined when there is none or the file system has none. Blocks. */
export function getXattr(path: HostPath, name: string): Buffer | undefined {
  return readGrowing(`getxattr ${path} ${name}`, (buffer) =>
    Number(libc.lgetxattr(bytesOf(path), name, buffer, buffer.length)),
  );
}

/** Names of all extended attributes, sorted. Blocks. Throws `unavailable` with the errno. */
export function listXattrs(path: HostPath): string[] {
  const list = readGrowing(`listxattr ${path}`, (buffer) =>
    Number(libc.llistxattr(bytesOf(path), buffer, buffer.length)),
  );
  if (list === undefined || list.length === 0) return [];
  return list.toString('utf8').split('\0').filter(Boolean).sort();
}

const scratch = Buffer.alloc(1024);

/** Calls with a small buffer, and with the kernel's largest (64 KiB, xattr(7)) when that answers ERANGE. */
function readGrowing(what: string, call: (buffer: Buffer) => number): Buffer | undefined {
  for (const buffer of [scratch, undefined]) {
    const target = buffer ?? Buffer.alloc(64 * 1024);
    const length = call(target);
    if (length >= 0) return Buffer.from(target.subarray(0, length));
    const errno = lastErrno();
    if (noXattr.has(errno)) return undefined;
    if (errno !== 'ERANGE') throw unavailable(`${what}: ${errno}`, { details: { errno } });
  }
  throw unavailable(`${what}: ERANGE`, { details: { errno: 'ERANGE' } });
}

const seekData = 3;
const seekHole = 4;

/**
 * Where an open file of `size` bytes has data, in order; what lies between are holes that read as zeros (lseek(2),
 * SEEK_DATA). One range for all of it where the file system cannot tell, or has more than `most` ranges. Moves the file's
 * position. Blocks.
 */
export function dataRanges(fd: number, size: number, most: number): { offset: number; length: number }[] {
  const ranges: { offset: number; length: number }[] = [];
  for (let end = 0; end < size; ) {
    const start = Number(libc.lseek(fd, end, seekData));
    if (start < 0 && lastErrno() === 'ENXIO') return ranges;
    if (start < 0 || start < end || ranges.length === most) return [{ offset: 0, length: size }];
    const hole = Number(libc.lseek(fd, start, seekHole));
    end = Math.min(hole <= start ? size : hole, size);
    if (start < end) ranges.push({ offset: start, length: end - start });
  }
  return ranges;
}

/** Writes everything of the file system that holds `path` to disk (syncfs(2)), on a thread of the pool. */
export async function syncFileSystem(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY);
  try {
    await checkAsync(`syncfs ${path}`, libc.syncfs, file.fd);
  } finally {
    await file.close();
  }
}

/**
 * Tells ext2, 3 and 4 that the directories made in `directory` have nothing to do with each other (chattr(1), `T`), so
 * that each gets a region of the disk to itself. ext4 passes over inodes that were freed a moment ago, one by one: where
 * trees of thousands of files come and go in one region, making a file takes ten times as long. Other file systems
 * have no such flag; there this does nothing. Blocks for microseconds.
 */
export function spreadDirectories(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const flags = Buffer.alloc(8);
    if (socketCalls.ioctl(fd, getInodeFlags, flags) === -1) return;
    flags.writeInt32LE(flags.readInt32LE(0) | topDirectoryFlag, 0);
    socketCalls.ioctl(fd, setInodeFlags, flags);
  } finally {
    closeSync(fd);
  }
}

/**
 * Gives a worker thread a root, working directory and umask (0) of its own (unshare(2) CLONE_FS), and lets it run
 * synchronous calls with another root: then the kernel itself keeps every path, `..` and symlink inside, whatever
 * other processes do to the tree meanwhile. Only synchronous calls of this thread are confined; asynchronous ones run
 * on other threads. Never make one on the main thread.
 */
export class ThreadRoot {
  readonly #hostRoot: number;

  /** Needs CAP_SYS_CHROOT. */
  constructor() {
    this.#hostRoot = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
    check('unshare(CLONE_FS)', () => libc.unshare(cloneFs));
    libc.umask(0);
  }

  /** Runs `body` with the directory `root` (an open descriptor) as `/` and as working directory. */
  run<T>(root: number, body: () => T): T {
    check('fchdir', () => libc.fchdir(root));
    check('chroot', () => libc.chroot('.'));
    try {
      return body();
    } finally {
      check('fchdir', () => libc.fchdir(this.#hostRoot));
      check('chroot', () => libc.chroot('.'));
    }
  }
}
