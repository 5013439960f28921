import koffi from 'koffi';
import { unavailable } from '#base';

type LibcFunction = (typeof libc)[keyof typeof libc];

const library = koffi.load('libc.so.6');

/** libc functions that Node has no call for. Signatures as in their man pages; -1 means failure with errno set. */
export const libc = {
  mount: library.func('int mount(str source, str target, str type, ulong flags, str data)'),
  umount2: library.func('int umount2(str target, int flags)'),
  openTree: library.func('long syscall(long number, int dirfd, str path, uint flags)'),
  moveMount: library.func('long syscall(long number, int from, str path, int to, str target, uint flags)'),
  unshare: library.func('int unshare(int flags)'),
  setns: library.func('int setns(int fd, int type)'),
  syncfs: library.func('int syncfs(int fd)'),
  lseek: library.func('long lseek(int fd, long offset, int whence)'),
  mknod: library.func('int mknod(const void *path, uint mode, ulong device)'),
  chroot: library.func('int chroot(str path)'),
  fchdir: library.func('int fchdir(int fd)'),
  umask: library.func('uint umask(uint mask)'),
  utimensat: library.func('int utimensat(int dirfd, const void *path, const void *times, int flags)'),
  futimens: library.func('int futimens(int fd, const void *times)'),
  lgetxattr: library.func('long lgetxattr(const void *path, str name, void *value, size_t size)'),
  lsetxattr: library.func('int lsetxattr(const void *path, str name, const void *value, size_t size, int flags)'),
  llistxattr: library.func('long llistxattr(const void *path, void *list, size_t size)'),
} as const;

/** Runs `call` now, on this thread. Throws `unavailable` ("WHAT: ENOENT") when it answers -1. */
export function check(what: string, call: () => number): number {
  const result = call();
  if (result === -1) throw failure(what, koffi.errno());
  return result;
}

/** The name of the calling thread's errno after a libc function answered -1: `ENOENT`. */
export function lastErrno(): string {
  return errnoName(koffi.errno());
}

/** Runs a libc function on a thread of the pool, so that a slow call never blocks the event loop. */
export function checkAsync(what: string, fn: LibcFunction, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    fn.async(...args, (error: Error | null, result: number) => {
      if (error) reject(error);
      else if (result === -1) reject(failure(what, koffi.errno()));
      else resolve(result);
    });
  });
}

function errnoName(errno: number): string {
  return Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}

function failure(what: string, errno: number): Error {
  const name = errnoName(errno);
  return unavailable(`${what}: ${name}`, { details: { errno: name } });
}
