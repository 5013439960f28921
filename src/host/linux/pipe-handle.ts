import { Socket } from 'node:net';
import { internal } from '#base';

/** The part of libuv's pipe binding that is used here. */
interface PipeHandle {
  open(fd: number): number;
}
type PipeClass = new (type: number) => PipeHandle;

let pipeClass: PipeClass | undefined;

/**
 * Makes a socket of a descriptor that `new Socket({ fd })` refuses by its type check (SEQPACKET sockets, pidfds).
 * libuv itself only needs something that epoll can watch. The socket owns `fd` afterwards.
 */
export function wrapDescriptor(fd: number, options: { writable: boolean }): Socket {
  const handle = new (findPipeClass())(0);
  const status = handle.open(fd);
  if (status < 0) throw internal(`cannot watch descriptor ${fd}: libuv error ${status}`);
  // `handle` is what net itself passes; it is missing from the public types only.
  const settings = { handle, readable: true, writable: options.writable, allowHalfOpen: true };
  return new Socket(settings as ConstructorParameters<typeof Socket>[0]);
}

/** Node exports no constructor of its pipe handle; every unix socket has an instance, even one that fails to connect. */
function findPipeClass(): PipeClass {
  if (pipeClass) return pipeClass;
  const probe = new Socket();
  probe.on('error', () => {});
  probe.connect('/dev/null/nothing-listens-here');
  const handle: unknown = Reflect.get(probe, '_handle');
  probe.destroy();
  if (typeof handle !== 'object' || handle === null || !('open' in handle)) {
    throw internal('this version of Node has no pipe handles where they were expected');
  }
  pipeClass = handle.constructor as PipeClass;
  return pipeClass;
}
