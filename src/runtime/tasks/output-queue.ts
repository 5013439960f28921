import type { OutputChunk } from '../runtime.ts';

/** Bytes kept for a consumer that is slower than the process, before the process has to wait. */
const highWater = 256 * 1024;
/** What a queued chunk costs beyond its bytes. */
const chunkOverhead = 256;

/** What feeds a queue and can be told to wait. */
export interface OutputSource {
  pause(): void;
  resume(): void;
}

/** A process's output on its way to one consumer, who takes it at his own pace; the source waits for a slow one. */
export class OutputQueue {
  source: OutputSource | undefined;
  #chunks: OutputChunk[] = [];
  #bytes = 0;
  #done = false;
  #wake: (() => void) | undefined;

  /** Adds a chunk; after `end` it is dropped. */
  push(chunk: OutputChunk): void {
    if (this.#done) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.data.length + chunkOverhead;
    if (this.#bytes >= highWater) this.source?.pause();
    this.#wake?.();
  }

  /** What is queued is still handed out. Harmless when repeated. */
  end(): void {
    this.#done = true;
    this.#wake?.();
  }

  get ended(): boolean {
    return this.#done;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    for (;;) {
      const chunks = this.#chunks;
      this.#chunks = [];
      this.#bytes = 0;
      yield* chunks;
      if (this.#chunks.length > 0) continue;
      if (this.#done) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.source?.resume();
      });
      this.#wake = undefined;
    }
  }
}
