import { closeSync, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { finished, Readable, Writable } from 'node:stream';
import { canceled, type Digest } from '#base';
import type {
  ArchiverOptions,
  LayerArchiver,
  LayerFacts,
  LayerFollower,
  LayerLimits,
  PackOptions,
  TreeArchiver,
  UnpackOptions,
} from './archive.ts';
import { chunkSize } from './worker/task.ts';
import { type RunningTask, WorkerPool } from './worker-pool.ts';

/** Layers and trees by one set of worker threads. `close` ends the threads; what is under way fails. */
export interface Archiver extends LayerArchiver, TreeArchiver {
  close(): Promise<void>;
}

const defaultLimits: LayerLimits = { entries: 5_000_000, size: 256 * 1024 ** 3 };

/** Makes an {@link Archiver}. No thread is started before there is work. */
export function createArchiver(options: ArchiverOptions = {}): Archiver {
  const workers = options.workers ?? Math.min(2, availableParallelism());
  const pool = new WorkerPool(workers, options.idleTimeout ?? 5000);
  const limits: LayerLimits = { ...defaultLimits, ...options.limits };
  return new ThreadedArchiver(pool, limits);
}

class ThreadedArchiver implements Archiver {
  readonly #pool: WorkerPool;
  readonly #limits: LayerLimits;

  constructor(pool: WorkerPool, limits: LayerLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  async apply(
    blobPath: string,
    target: string,
    options: { expectedDiffId?: Digest; signal?: AbortSignal } = {},
  ): Promise<LayerFacts> {
    const job = {
      op: 'apply',
      blob: resolve(blobPath),
      target: resolve(target),
      expected: options.expectedDiffId,
      limits: this.#limits,
    } as const;
    return this.#pool.start(job, {}, options.signal).done;
  }

  follow(blobPath: string, target: string, options: { signal?: AbortSignal } = {}): LayerFollower {
    // Opened here: the file may have another name, or none, by the time the worker comes to it.
    const fd = openSync(blobPath, 'r');
    try {
      const job = { op: 'follow', fd, target: resolve(target), limits: this.#limits } as const;
      const task = this.#pool.start(job, {}, options.signal);
      const done = task.done.finally(() => closeSync(fd));
      return { advance: task.announce, finish: task.endInput, cancel: task.cancel, done };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  async diff(upper: string, output: string, options: { signal?: AbortSignal } = {}): Promise<LayerFacts> {
    const job = { op: 'diff', upper: resolve(upper), output: resolve(output) } as const;
    return this.#pool.start(job, {}, options.signal).done;
  }

  async pack(root: string, path: string, options: PackOptions = {}): Promise<Readable> {
    const { filter, rename, exact = false, signal } = options;
    const place = { root: resolve(root), path };
    const excluded = filter === undefined ? new Set<string>() : await this.#exclude(place, filter, signal);
    return new Promise((open, reject) => {
      const stream: Readable = new Readable({
        highWaterMark: chunkSize,
        read: () => grantOwed(),
        destroy: (error, done) => {
          task.cancel();
          done(error);
        },
      });
      let owed = 0;
      let isOpen = false;
      const grantOwed = () => {
        for (; owed > 0; owed -= 1) task.grant();
      };
      const task = this.#pool.start(
        { op: 'pack', ...place, rename, excluded, exact },
        {
          onReady: () => {
            isOpen = true;
            open(stream);
          },
          onChunk: (bytes) => {
            owed += 1;
            if (stream.push(bytes)) grantOwed();
          },
        },
        signal,
      );
      task.done.then(
        () => stream.push(null),
        (error: unknown) => {
          // Before the caller has the stream nobody listens to its errors.
          if (!isOpen) reject(error);
          else stream.destroy(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  async unpack(root: string, path: string, archive: Readable, options: UnpackOptions = {}): Promise<void> {
    const keepOwner = options.keepOwner ?? true;
    const task = this.#pool.start(
      {
        op: 'unpack',
        root: resolve(root),
        path,
        noOverwriteDirNonDir: options.noOverwriteDirNonDir ?? false,
        withBase: options.withBase ?? false,
        owner: keepOwner ? undefined : (options.owner ?? { uid: 0, gid: 0 }),
        limits: this.#limits,
      },
      {},
      options.signal,
    );
    const input = new TaskInput(task);
    // Not pipeline(): a request body must stay usable, so that a refused archive can still be answered.
    if (archive.readableEnded) input.end();
    else archive.pipe(input);
    const stopWatching = finished(archive, { writable: false }, (error) => {
      if (error) input.giveUp(error);
    });
    try {
      await task.done;
    } catch (error) {
      throw input.fault ?? error;
    } finally {
      stopWatching();
      archive.unpipe(input);
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Asks `filter` about each path, parents first; what lies below a path left out is not asked about. */
  async #exclude(
    place: { root: string; path: string },
    filter: (path: string) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<Set<string>> {
    const excluded = new Set<string>();
    for (const path of await this.#pool.start({ op: 'list', ...place }, {}, signal).done) {
      const slash = path.lastIndexOf('/');
      if ((slash > 0 && excluded.has(path.slice(0, slash))) || !filter(path)) excluded.add(path);
    }
    return excluded;
  }
}

/** Joins small chunks to pieces in buffers of their own, and gives them to a task as it has room. */
class TaskInput extends Writable {
  /** Why the source broke off, if it did. */
  fault: unknown;
  readonly #task: RunningTask<'unpack'>;
  #piece = new Uint8Array(chunkSize);
  #filled = 0;

  constructor(task: RunningTask<'unpack'>) {
    super({ highWaterMark: chunkSize });
    this.#task = task;
  }

  /** Ends the task because there will be no more bytes. */
  giveUp(error: Error): void {
    this.fault = canceled(`the archive broke off: ${error.message}`, { cause: error });
    this.#task.cancel();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#add(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const rest = this.#piece.slice(0, this.#filled);
    const sent = rest.length > 0 ? this.#task.send(rest) : Promise.resolve();
    sent.then(() => {
      this.#task.endInput();
      done();
    }, done);
  }

  async #add(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const take = Math.min(chunkSize - this.#filled, bytes.length - at);
      this.#piece.set(bytes.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled === chunkSize) {
        const full = this.#piece;
        this.#piece = new Uint8Array(chunkSize);
        this.#filled = 0;
        await this.#task.send(full);
      }
    }
  }
}
