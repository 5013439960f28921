import { open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import koffi from 'koffi';
import { check } from './libc.ts';
import { wrapDescriptor } from './pipe-handle.ts';

const library = koffi.load('libc.so.6');
const socket = library.func('int socket(int domain, int type, int protocol)');
const connect = library.func('int connect(int fd, void *address, uint length)');
const close = library.func('int close(int fd)');

const afUnix = 1;
const seqpacketCloexecNonblock = 5 | 0o2000000 | 0o4000;

/**
 * Connects to the SOCK_SEQPACKET unix socket at `path` (unix(7)). `net.connect` only knows stream sockets, so the
 * descriptor is made here and then driven by libuv as if it were a pipe: one read is one packet (`data` events keep
 * packet borders, `read()` does not), one `write` is one packet. Await each write's callback before the next, else
 * libuv may join two. Throws `unavailable` with details.errno: ECONNREFUSED and ENOENT mean that nobody listens,
 * EAGAIN that the listener's queue is full.
 */
export async function connectSeqpacket(path: string): Promise<Socket> {
  // The directory's descriptor stands in for its path: sun_path holds only 108 bytes.
  const directory = await open(dirname(path), 0o200000);
  try {
    const address = Buffer.alloc(110);
    address.writeUInt16LE(afUnix, 0);
    const name = `/proc/self/fd/${directory.fd}/${basename(path)}`;
    const length = 2 + address.write(name, 2) + 1;
    const fd = check('socket', () => socket(afUnix, seqpacketCloexecNonblock, 0));
    try {
      check(`connect ${path}`, () => connect(fd, address, length));
      return wrapDescriptor(fd, { writable: true });
    } catch (error) {
      close(fd);
      throw error;
    }
  } finally {
    await directory.close();
  }
}
