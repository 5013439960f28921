import type { Socket } from 'node:net';
import type { Child } from '#host';
import type { OutputQueue } from './output-queue.ts';

/** How long (ms) an ended process's pipes may be silent before they count as read to the end. */
const quiet = 100;

/** Moves what a child prints into a queue. */
export class PipedOutput {
  readonly #streams: readonly Socket[];
  readonly #closed: Promise<unknown>;
  #lastChunk = 0;
  #paused = false;

  constructor(child: Child, queue: OutputQueue) {
    queue.source = { pause: () => this.#pause(), resume: () => this.#resume() };
    const named = [
      ['stdout', child.stdout],
      ['stderr', child.stderr],
    ] as const;
    this.#streams = named.flatMap(([, socket]) => socket ?? []);
    this.#closed = Promise.all(
      this.#streams.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
    );
    for (const [stream, socket] of named) {
      socket?.on('error', () => {});
      socket?.on('data', (data: Buffer) => {
        this.#lastChunk = Date.now();
        queue.push({ stream, data });
      });
    }
  }

  /**
   * Resolves when all that the ended process printed is in the queue. Something it left behind may hold the pipes for
   * ever: they count as ended once nothing came for a moment while the consumer was ready.
   */
  async complete(): Promise<void> {
    this.#lastChunk = Date.now();
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<void>((resolve) => {
      timer = setInterval(() => {
        if (this.#paused) this.#lastChunk = Date.now();
        else if (Date.now() - this.#lastChunk >= quiet) resolve();
      }, quiet / 2);
    });
    await Promise.race([this.#closed, silent]);
    clearInterval(timer);
    for (const socket of this.#streams) socket.destroy();
  }

  #pause(): void {
    this.#paused = true;
    for (const socket of this.#streams) socket.pause();
  }

  #resume(): void {
    this.#paused = false;
    for (const socket of this.#streams) socket.resume();
  }
}
