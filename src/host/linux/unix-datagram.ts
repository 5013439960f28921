import { setTimeout as pause } from 'node:timers/promises';
import koffi from 'koffi';
import { unavailable } from '#base';
import { errnoName, socketCalls } from './socket-calls.ts';

// sys/socket.h
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Bytes of a path in a sockaddr_un (unix(7)). */
const longestPath = 107;
/** A reader that is behind is looked at this often (ms), and so many times. */
const patience = { every: 10, times: 200 };

/** A connected datagram socket of the unix family, which node:dgram does not have. */
export interface UnixDatagram {
  /** Sends one datagram. Throws `unavailable` when nobody reads (any more), and after two seconds of a full queue. */
  send(data: Uint8Array): Promise<void>;
  close(): void;
}

/** Connects to the datagram socket at `path`, such as /dev/log. Throws `unavailable` with details.errno. */
export function connectUnixDatagram(path: string): UnixDatagram {
  const name = Buffer.from(path);
  if (name.length > longestPath) throw unavailable(`${path}: too long for a socket`);
  const address = Buffer.alloc(2 + name.length + 1);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  const fd = socketCalls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd === -1) throw failure(path, koffi.errno());
  if (socketCalls.connect(fd, address, address.length) === -1) {
    const errno = koffi.errno();
    socketCalls.close(fd);
    throw failure(path, errno);
  }
  let open = true;
  return {
    async send(data) {
      for (let attempt = 0; open; attempt++) {
        if (Number(socketCalls.send(fd, data, data.length, MSG_DONTWAIT | MSG_NOSIGNAL)) !== -1) return;
        const errno = koffi.errno();
        if (errnoName(errno) !== 'EAGAIN' || attempt === patience.times) throw failure(path, errno);
        await pause(patience.every);
      }
      throw unavailable(`${path}: the connection was closed`);
    },
    close() {
      if (open) socketCalls.close(fd);
      open = false;
    },
  };
}

function failure(path: string, errno: number): Error {
  const name = errnoName(errno);
  return unavailable(`cannot reach ${path}: ${name}`, { details: { errno: name } });
}
