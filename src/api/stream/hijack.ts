import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { streamTypes } from '#api-types';
import { bodyOf, clientOlderThan, contextOf } from '../request/context.ts';
import type { UpgradedConnection } from '../server/upgrade.ts';

/** A connection that no longer speaks HTTP: bytes of the client come from `input`, ours go to `socket`. */
export interface HijackedConnection {
  readonly socket: Socket;
  readonly input: Readable;
}

/**
 * Takes the connection over: answers 101 where the client asked for an upgrade, else 200 with a stream of unknown
 * length, and returns it. The route must not use `reply` afterwards.
 */
export function takeOver(
  request: FastifyRequest,
  reply: FastifyReply,
  options: { tty: boolean; headers?: Readonly<Record<string, string>> },
): HijackedConnection {
  const { upgraded } = contextOf(request);
  const framed = !options.tty && !clientOlderThan(request, '1.42');
  const extra = Object.entries(options.headers ?? {})
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  reply.hijack();
  if (upgraded !== undefined) {
    const { socket } = upgraded;
    reply.raw.detachSocket(socket);
    const type = framed ? streamTypes.multiplexed : streamTypes.raw;
    socket.write(
      `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: ${upgraded.protocol}\r\n${extra}\r\n`,
    );
    return { socket, input: socket };
  }
  const { socket } = request.raw;
  reply.raw.detachSocket(socket);
  // A chunked body is the client's way to send stdin in HTTP's own frames; plain bytes after the request are stdin too.
  const chunked = request.headers['transfer-encoding'] !== undefined;
  if (!chunked) detachParser(socket);
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${streamTypes.raw}\r\n${extra}\r\n`);
  return { socket, input: chunked ? bodyOf(request) : socket };
}

/** Agrees to the protocol that the client asked for and hands its connection out; nothing of it has been read. */
export function switchProtocol({ socket, protocol }: UpgradedConnection, reply: FastifyReply): Socket {
  reply.hijack();
  reply.raw.detachSocket(socket);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  return socket;
}

/**
 * Takes Node's HTTP server off a socket, as Node itself does before it emits `upgrade`. The first listener for `data`
 * makes Node hand the bytes back to the socket; it must be added in the same turn, before any more can arrive.
 */
function detachParser(socket: Socket): void {
  for (const event of ['data', 'end', 'close', 'drain', 'error', 'timeout']) socket.removeAllListeners(event);
  socket.on('error', () => socket.destroy());
}
