import type { Socket } from 'node:net';
import { DetachScanner } from '#base';
import type { Session } from '#engine';
import type { Attachment } from '#runtime';
import { encodeOutput } from './frames.ts';
import type { HijackedConnection } from './hijack.ts';

/** Which streams a client wants and how they are written. */
export interface SessionOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Typed on a terminal, they end the session but not the process. */
  readonly detachKeys: Buffer;
}

/**
 * Joins a client's connection to a process until the output ends, the client goes, or the detach keys are typed.
 * Each side is read only as fast as the other takes it. Never rejects; closes both ends.
 */
export async function runAttachSession(
  connection: HijackedConnection,
  attachment: Session,
  options: SessionOptions,
): Promise<void> {
  const { socket } = connection;
  const gone = new Promise<void>((resolve) => {
    if (socket.destroyed) resolve();
    socket.once('close', () => resolve());
  });
  const detached = new Promise<void>((resolve) =>
    forwardInput(connection, attachment, {
      ...options,
      onDetach: () => {
        attachment.detach();
        resolve();
      },
    }),
  );
  const output = forwardOutput(connection, attachment, options).catch(() => undefined);
  await Promise.race([output, gone, detached]);
  attachment.close();
  socket.destroySoon();
}

async function forwardOutput(
  { socket }: HijackedConnection,
  attachment: Attachment,
  options: SessionOptions,
): Promise<void> {
  for await (const chunk of attachment.output) {
    if (!options[chunk.stream] || chunk.data.length === 0) continue;
    // Who types and detaches at once is gone before we write, which ends the connection: what was typed is read first.
    if (options.tty && options.stdin) await nextTurn();
    if (socket.destroyed) return;
    if (!socket.write(encodeOutput(chunk, options.tty))) {
      await drained(socket);
    }
  }
}

/** Resolves when all that has arrived on any connection has been seen. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when `socket` takes more, or nothing ever again; leaves no listener behind. */
function drained(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

function forwardInput(
  { input }: HijackedConnection,
  attachment: Attachment,
  options: SessionOptions & { onDetach: () => void },
): void {
  const scanner = options.tty ? new DetachScanner(options.detachKeys) : undefined;
  let taking = options.stdin;
  input.on('error', () => undefined);
  input.on('end', () => {
    if (taking) attachment.endInput();
  });
  input.on('data', (chunk: Buffer) => {
    if (!taking) return;
    const { data, detached } = scanner?.push(chunk) ?? { data: chunk, detached: false };
    input.pause();
    const written = data.length === 0 ? Promise.resolve() : attachment.write(data);
    written
      // The process is gone: what is typed from now on has nobody to read it, but its end must still be noticed.
      .catch(() => {
        taking = false;
      })
      .then(() => (detached ? options.onDetach() : input.resume()));
  });
  // Whoever took the connection over has paused it, and listening alone does not undo that.
  input.resume();
}
