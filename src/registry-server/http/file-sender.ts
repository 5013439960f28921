import { type FileHandle, open } from 'node:fs/promises';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { canceled, unavailable } from '#base';

/** Bytes of a buffer while few files are sent, and while many are. */
const large = 512 * 1024;
const small = 128 * 1024;
/** Files sent at the same time from which buffers are small. */
const many = 16;

/** Bytes of a file, `start` to `end` (included), and what goes before them. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/**
 * Sends files to responses from buffers that are used again and again. A stream would take fresh memory for every chunk, and
 * the page faults of that cost more than reading and sending (measured: a third of the throughput). Each response
 * holds two buffers, so slow readers cost little.
 */
export class FileSender {
  readonly #free = new Map<number, Buffer[]>();
  #active = 0;

  /**
   * Sends status, headers and the bytes from `start` to `end` (included), and ends the response. Throws `canceled` when
   * its reader goes away; where the file cannot be opened, before anything is sent.
   */
  async send(path: string, response: ServerResponse, part: FilePart): Promise<void> {
    const file = await open(path, 'r');
    response.writeHead(part.status, part.headers);
    this.#active += 1;
    const size = this.#active > many ? small : large;
    const buffers = [this.#take(size), this.#take(size)] as const;
    const abort = new AbortController();
    const onClose = () => abort.abort();
    response.once('close', onClose);
    try {
      await pump(file, response, { start: part.start, end: part.end, buffers, signal: abort.signal });
      response.end();
      // Only what was sent whole is free: a dead connection may still read from its buffers.
      this.#free.set(size, [...(this.#free.get(size) ?? []).slice(0, 2 * many), ...buffers]);
    } finally {
      response.off('close', onClose);
      this.#active -= 1;
      await file.close();
    }
  }

  #take(size: number): Buffer {
    return this.#free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
  }
}

async function pump(
  file: FileHandle,
  response: ServerResponse,
  options: { start: number; end: number; buffers: readonly [Buffer, Buffer]; signal: AbortSignal },
): Promise<void> {
  const { end, buffers, signal } = options;
  let fail: (error: Error) => void = () => undefined;
  // One listener for the whole file: a race with a promise that outlives every round would hold memory for each of them.
  signal.addEventListener('abort', () => fail(readerGone()), { once: true });
  let position = options.start;
  let before: Promise<void> = Promise.resolve();
  for (let turn = 0; position <= end; turn += 1) {
    const buffer = buffers[turn % 2 === 0 ? 0 : 1];
    // Reading this one overlaps with sending the other; its own last bytes were sent before the other's.
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - position + 1), position);
    if (bytesRead === 0) throw unavailable('a blob ends before its size');
    await before;
    if (signal.aborted || response.destroyed) throw readerGone();
    position += bytesRead;
    before = new Promise((resolve, reject) => {
      fail = reject;
      response.write(buffer.subarray(0, bytesRead), (error) => (error ? reject(error) : resolve()));
    });
    before.catch(() => undefined);
  }
  await before;
}

function readerGone() {
  return canceled('the reader went away');
}
