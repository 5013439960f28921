import type { RawData, WebSocket } from 'ws';
import { DetachScanner } from '#base';
import type { Session } from '#engine';
import type { Attachment } from '#runtime';
import type { SessionOptions } from './attach-session.ts';

/** Joins a websocket to a process: binary messages without frames both ways. Never rejects; closes both ends. */
export async function runWebSocketSession(
  socket: WebSocket,
  attachment: Session,
  options: SessionOptions,
): Promise<void> {
  const scanner = options.tty ? new DetachScanner(options.detachKeys) : undefined;
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  socket.on('message', (message: RawData) => {
    if (!options.stdin) return;
    const { data, detached } = scanner?.push(bytesOf(message)) ?? { data: bytesOf(message), detached: false };
    socket.pause();
    attachment
      .write(data)
      .catch(() => undefined)
      .then(() => {
        if (!detached) return socket.resume();
        attachment.detach();
        socket.close();
      });
  });
  await Promise.race([sendOutput(socket, attachment, options).catch(() => undefined), closed]);
  attachment.close();
  socket.close();
}

async function sendOutput(socket: WebSocket, attachment: Attachment, options: SessionOptions): Promise<void> {
  for await (const chunk of attachment.output) {
    if (!options[chunk.stream]) continue;
    await new Promise<void>((resolve, reject) => {
      socket.send(chunk.data, { binary: true }, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function bytesOf(message: RawData): Buffer {
  if (Array.isArray(message)) return Buffer.concat(message);
  return Buffer.isBuffer(message) ? message : Buffer.from(message);
}
