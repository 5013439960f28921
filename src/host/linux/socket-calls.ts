import koffi from 'koffi';

const library = koffi.load('libc.so.6');

/** The socket functions of libc, signatures as in their man pages; -1 means failure with errno set. */
export const socketCalls = {
  socket: library.func('int socket(int domain, int type, int protocol)'),
  bind: library.func('int bind(int fd, const void *address, uint length)'),
  listen: library.func('int listen(int fd, int backlog)'),
  getsockname: library.func('int getsockname(int fd, _Out_ void *address, _Inout_ void *length)'),
  setsockopt: library.func('int setsockopt(int fd, int level, int name, const void *value, uint length)'),
  connect: library.func('int connect(int fd, const void *address, uint length)'),
  send: library.func('long send(int fd, const void *data, ulong length, int flags)'),
  recv: library.func('long recv(int fd, _Out_ void *data, ulong length, int flags)'),
  ioctl: library.func('int ioctl(int fd, ulong request, _Inout_ void *argument)'),
  close: library.func('int close(int fd)'),
} as const;

/** The name of an errno number, such as `EADDRINUSE`. */
export function errnoName(errno: number): string {
  return Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}
