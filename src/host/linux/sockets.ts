import { isIPv6 } from 'node:net';
import koffi from 'koffi';
import { conflict, invalid, notImplemented, unavailable } from '#base';
import type { SocketAddress, Sockets } from '../sockets.ts';
import { decodeSocketAddress, encodeSocketAddress } from './socket-address.ts';
import { errnoName, socketCalls } from './socket-calls.ts';

// sys/socket.h, netinet/in.h
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const BACKLOG = 128;
const PROTOCOLS = {
  tcp: { type: SOCK_STREAM, number: 6 },
  udp: { type: SOCK_DGRAM, number: 17 },
  sctp: { type: SOCK_STREAM, number: 132 },
} as const;

/** Sockets through libc. Every call is short and synchronous. */
export function createSockets(): Sockets {
  return {
    bind(where) {
      const { type, number } = PROTOCOLS[where.protocol];
      const v6 = isIPv6(where.address);
      const fd = socketCalls.socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, number);
      if (fd === -1) throw socketFailure(where, koffi.errno());
      try {
        const one = Buffer.from([1, 0, 0, 0]);
        // For UDP SO_REUSEADDR would let two sockets share the port.
        if (where.protocol !== 'udp') socketCalls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, 4);
        if (v6) socketCalls.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, one, 4);
        const address = encodeSocketAddress(where.address, where.port);
        if (socketCalls.bind(fd, address, address.length) === -1) throw socketFailure(where, koffi.errno());
        if (type === SOCK_STREAM && socketCalls.listen(fd, BACKLOG) === -1) throw socketFailure(where, koffi.errno());
        const name = Buffer.alloc(28);
        const length = Buffer.from([28, 0, 0, 0]);
        if (socketCalls.getsockname(fd, name, length) === -1) throw socketFailure(where, koffi.errno());
        return { fd, port: decodeSocketAddress(name).port };
      } catch (error) {
        socketCalls.close(fd);
        throw error;
      }
    },
    close(fd) {
      socketCalls.close(fd);
    },
  };
}

function socketFailure(where: SocketAddress, errno: number): Error {
  const name = errnoName(errno);
  const text = `bind ${where.protocol} ${where.address} port ${where.port}: ${name}`;
  const options = { details: { errno: name } };
  if (name === 'EADDRINUSE') return conflict(text, options);
  if (name === 'EADDRNOTAVAIL') return invalid(text, options);
  if (name === 'EPROTONOSUPPORT' || name === 'ESOCKTNOSUPPORT' || name === 'EAFNOSUPPORT') {
    return notImplemented(text, options);
  }
  return unavailable(text, options);
}
