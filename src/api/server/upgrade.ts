import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '#base';
import { maxUpgradeBody } from './limits.ts';

/** A connection whose client asked for an upgrade; Node has taken its HTTP parser away. */
export interface UpgradedConnection {
  readonly socket: Socket;
  /** The request's body, already read. */
  readonly body: Buffer;
  /** Bytes that came before anybody asked for them; for protocols that want them apart (websocket). */
  readonly head: Buffer;
  /** What the Upgrade header asked for, lower case. */
  readonly protocol: string;
}

/** Reads as many bytes of body as Content-Length says, and no more; the rest goes back into the socket. */
async function readBody(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<{ body: Buffer; rest: Buffer }> {
  if (request.headers['transfer-encoding'] !== undefined) {
    throw new Error('a chunked body and an upgrade cannot be combined; send Content-Length');
  }
  const length = Number(request.headers['content-length'] ?? 0);
  if (!Number.isSafeInteger(length) || length < 0 || length > maxUpgradeBody) throw new Error('body too large');
  let bytes = head;
  while (bytes.length < length) bytes = Buffer.concat([bytes, await nextChunk(socket)]);
  return { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function nextChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.pause();
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      act();
    };
    const onData = (chunk: Buffer) => settle(() => resolve(chunk));
    const onEnd = () => settle(() => reject(new Error('unexpected EOF')));
    socket.on('data', onData).on('end', onEnd).on('close', onEnd);
    socket.resume();
  });
}

/**
 * Handles Node's `upgrade` event: gives the request a response and hands both to `route`, so that upgraded and plain
 * requests meet the same routes. A handler that takes the connection over finds it by `remember`; any other answers
 * as usual and the connection is closed after that.
 */
export async function routeUpgrade(
  request: IncomingMessage,
  duplex: Duplex,
  options: {
    head: Buffer;
    remember: (request: IncomingMessage, connection: UpgradedConnection) => void;
    route: (request: IncomingMessage, response: ServerResponse) => void;
  },
): Promise<void> {
  // Node types it as Duplex for custom servers; ours listen on sockets only.
  const socket = duplex as Socket;
  socket.on('error', () => socket.destroy());
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  try {
    const { body, rest } = await readBody(request, socket, options.head);
    const protocol = request.headers.upgrade?.toLowerCase() ?? '';
    if (protocol !== 'websocket' && rest.length > 0) socket.unshift(rest);
    options.remember(request, { socket, body, head: rest, protocol });
  } catch (error) {
    response.writeHead(400, { 'Content-Type': 'application/json' });
    response.end(`${JSON.stringify({ message: messageOf(error) })}\n`);
    return;
  }
  options.route(request, response);
}
