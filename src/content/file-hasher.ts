import { Worker } from 'node:worker_threads';
import { type Digest, internal } from '#base';
import type { HashAnswer, HashRequest } from './hash-worker.ts';

/** How long the thread is kept when it has nothing to do, ms: a pull is many blobs, an idle daemon should be small. */
const idleTimeout = 10_000;

interface Waiting {
  resolve(digest: Digest): void;
  reject(error: Error): void;
}

/**
 * Hashes files on a thread of its own while they are being written: it reads behind the writer, from the page cache,
 * so that the digest is known almost as soon as the last byte is written and no bytes travel between threads.
 */
export class FileHasher {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #jobs = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  /** Begins hashing the file at `path`, which may still grow. */
  start(path: string): FileHash {
    const job = this.#next++;
    this.#jobs.add(job);
    clearTimeout(this.#idle);
    return {
      advance: (size) => this.#send({ type: 'advance', job, path, size }),
      finish: (size) =>
        new Promise<Digest>((resolve, reject) => {
          this.#waiting.set(job, { resolve, reject });
          this.#send({ type: 'finish', job, path, size });
          // Only who waits for an answer holds the process.
          this.#worker?.ref();
        }).finally(() => {
          if (this.#waiting.size === 0) this.#worker?.unref();
          this.#end(job);
        }),
      drop: () => {
        if (!this.#jobs.has(job)) return;
        this.#send({ type: 'drop', job });
        this.#end(job);
      },
    };
  }

  #send(request: HashRequest): void {
    this.#worker ??= this.#startWorker();
    this.#worker.postMessage(request);
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    });
    worker.on('message', (answer: HashAnswer) => {
      const waiting = this.#waiting.get(answer.job);
      this.#waiting.delete(answer.job);
      if ('hex' in answer) waiting?.resolve(`sha256:${answer.hex}`);
      else waiting?.reject(internal(`hashing failed: ${answer.error}`));
    });
    const fail = (error: Error) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => {
      if (this.#worker === worker) fail(internal('the hashing thread ended'));
    });
    // Last: a listener for messages holds the process again.
    worker.unref();
    return worker;
  }

  #end(job: number): void {
    this.#jobs.delete(job);
    if (this.#jobs.size > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = undefined;
      void worker?.terminate();
    }, idleTimeout);
    this.#idle.unref();
  }
}

/** One file that a {@link FileHasher} hashes. */
export interface FileHash {
  /** Tells that the file now has `size` bytes. */
  advance(size: number): void;
  /** The digest of the first `size` bytes; ends the hash. */
  finish(size: number): Promise<Digest>;
  /** Ends the hash without an answer. Harmless when it has ended. */
  drop(): void;
}
