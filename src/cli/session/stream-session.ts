import { spawnSync } from 'node:child_process';
import type { Readable } from 'node:stream';
import { DetachScanner, readDetachKeys } from '#base';
import { copyStream, demultiplex, type Hijacked } from '#client';
import type { Terminal } from '../command/index.ts';

/** What of the terminal takes part in a session. */
export interface SessionOptions {
  readonly terminal: Terminal;
  /** Send this process's input to the container. */
  readonly stdin: boolean;
  /** The container has a terminal of its own: raw mode here, and no frames. */
  readonly tty: boolean;
  /** Keys that detach, where the container has a terminal; Docker's default when empty. */
  readonly detachKeys?: string;
}

/** A container's streams joined with this process's. */
export interface StreamSession {
  /** Resolves when the container's output has ended, or the user has detached. */
  readonly done: Promise<void>;
  /** True once the user has detached: the container goes on without us. */
  readonly detached: boolean;
  /** Gives the terminal back. Harmless when repeated. */
  close(): void;
}

/** Sends input until it ends, then closes the container's input; waits for a slow container. */
function sendInput(source: Readable, connection: Hijacked, filter: (chunk: Buffer) => Buffer): () => void {
  const { stream } = connection;
  const onData = (chunk: Buffer): void => {
    const wanted = filter(chunk);
    if (!stream.writable || wanted.length === 0) return;
    if (!stream.write(wanted)) {
      source.pause();
      stream.once('drain', () => source.resume());
    }
  };
  const onEnd = (): void => {
    if (stream.writable) stream.end();
  };
  source.on('data', onData);
  source.once('end', onEnd);
  source.once('error', onEnd);
  return () => {
    source.off('data', onData);
    source.off('end', onEnd);
    source.pause();
  };
}

/** Joins a hijacked connection with the terminal: input, raw mode, output of both kinds kept apart. */
export function startSession(connection: Hijacked, options: SessionOptions): StreamSession {
  const { terminal } = options;
  const raw = options.tty && options.stdin && terminal.stdin.isTTY === true;
  const keys = readDetachKeys(options.detachKeys);
  const scanner = options.tty ? new DetachScanner(keys) : undefined;
  let stopInput: () => void = () => undefined;
  let detached = false;
  const { promise: left, resolve: leave } = deferred();
  if (raw) enterRawMode(terminal);
  if (options.stdin) {
    stopInput = sendInput(terminal.stdin, connection, (chunk) => {
      const { data, detached: keysTyped } = scanner?.push(chunk) ?? { data: chunk, detached: false };
      if (keysTyped) {
        detached = true;
        leave();
      }
      return data;
    });
  }
  connection.stream.on('error', () => undefined);
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    stopInput();
    if (raw) terminal.stdin.setRawMode?.(false);
  };
  const output = options.tty
    ? copyStream(connection.stream, terminal.stdout)
    : demultiplex(connection.stream, { stdout: terminal.stdout, stderr: terminal.stderr });
  const over = Promise.race([output, left]).finally(() => {
    close();
    if (detached) {
      output.catch(() => undefined);
      connection.stream.destroy();
    }
  });
  return {
    done: over,
    close,
    get detached() {
      return detached;
    },
  };
}

/** Passes everything both ways as it is, until `setRawMode(false)` restores what was. */
function enterRawMode({ stdin }: Terminal): void {
  stdin.setRawMode?.(true);
  // Node leaves one thing on: line feeds get a carriage return on their way to the screen (termios(3) OPOST).
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
