import type { FastifyReply } from 'fastify';
import type { ProgressMessage } from '#api-types';
import { isBerthError, messageOf } from '#base';
import type { OnProgress, Progress } from '#image';
import { type StreamWriter, startStream } from './lines.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size as Docker's progress shows it: base 1000, four digits (`1.234MB`). Bytes in. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

/** The deprecated text of a progress: a bar of 50 signs and the numbers. Bytes in. */
export function progressText(current: number, total: number | undefined): string {
  const done = humanSize(current).padStart(8);
  if (total === undefined || total <= 0) return done;
  const filled = Math.min(50, Math.floor(Math.floor((current / total) * 100) / 2));
  const bar = `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] `;
  return current > total ? `${bar}${done}` : `${bar}${done}/${humanSize(total)}`;
}

/** A progress step as it goes over the wire. */
export function encodeProgress(progress: Progress): ProgressMessage {
  const { id, status, current, total, aux } = progress;
  if (aux !== undefined) return { progressDetail: {}, aux };
  if (current === undefined) return { status, ...(id === undefined ? {} : { progressDetail: {}, id }) };
  return {
    status,
    progressDetail: { current, ...(total === undefined ? {} : { total }) },
    progress: progressText(current, total),
    ...(id === undefined ? {} : { id }),
  };
}

/** An error inside a stream whose status has long been sent. `details.code` is a failed command's exit code. */
function encodeStreamError(error: unknown): ProgressMessage {
  const message = messageOf(error);
  const code = isBerthError(error) ? error.details.code : undefined;
  return { errorDetail: { ...(typeof code === 'number' ? { code } : {}), message }, error: message };
}

/** One message as a line: JSON and CRLF. */
function progressLine(message: ProgressMessage): string {
  return `${JSON.stringify(message)}\r\n`;
}

/**
 * A progress stream that opens with its first message, so that an error before any progress still gets a status code
 * of its own.
 */
export class ProgressStream {
  readonly #reply: FastifyReply;
  #writer: StreamWriter | undefined;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  /** Sends a message; opens the stream when it is the first. */
  send(message: ProgressMessage): void {
    this.#open().push(progressLine(message));
  }

  /** The callback that image work reports to. */
  readonly onProgress: OnProgress = (progress) => {
    // The next count says all that this one does.
    if (progress.current !== undefined && this.#writer?.congested) return;
    this.send(encodeProgress(progress));
  };

  /** Runs `work`, then ends the stream. Throws its error while nothing has been sent; later errors go into the stream. */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#writer === undefined) throw error;
      this.send(encodeStreamError(error));
    }
    this.#open().end();
  }

  #open(): StreamWriter {
    this.#writer ??= startStream(this.#reply, 'application/json');
    return this.#writer;
  }
}
