import type { Http2Session, Http2Stream } from 'node:http2';
import type { Connection } from './grpc.ts';

/** How both ends run HTTP/2. Windows and limits in bytes; Node's session memory in MB. */
export const sessionOptions = {
  // Enough for one message at the largest, and for what streams under way have in their windows.
  maxSessionMemory: 64,
  maxHeaderListPairs: 4096,
  settings: {
    enablePush: false,
    initialWindowSize: 1024 * 1024,
    maxConcurrentStreams: 256,
    maxHeaderListSize: 256 * 1024,
  },
} as const;

/** Writes and waits for room; false when the stream is over. */
export function writeOn(stream: Http2Stream, bytes: Buffer): Promise<boolean> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve(false);
  if (stream.write(bytes)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (room: boolean) => () => {
      stream.off('drain', onDrain).off('close', onClose);
      resolve(room);
    };
    const [onDrain, onClose] = [settle(true), settle(false)];
    stream.on('drain', onDrain).on('close', onClose);
  });
}

/** Ends connection and session with one another. A peer that sends no more is gone, also where half-open is allowed. */
export function endWith(connection: Connection, session: Http2Session): void {
  session.once('close', () => connection.destroy());
  connection.once('close', () => session.destroy());
  connection.once('end', () => session.destroy());
}
