import { Worker } from 'node:worker_threads';
import { BerthError, canceled, internal } from '#base';
import { type FromWorker, type Job, type JobResults, type ToWorker, windowSize } from './worker/task.ts';

/** What the starter of a task hears of it while it runs. */
export interface TaskListener {
  /** The job has found what it needs. */
  onReady?(): void;
  /** Bytes from the worker; answer each with {@link RunningTask.grant} when there is room for another. */
  onChunk?(bytes: Uint8Array): void;
}

interface PoolTask {
  readonly listener: TaskListener;
  readonly settle: (outcome: { result: JobResults[Job['op']] } | { error: unknown }) => void;
  onCredit: () => void;
}

/** A task under way in a worker. */
export interface RunningTask<Op extends Job['op']> {
  /** Ends with the job; rejects with its error, `canceled` when it was. */
  readonly done: Promise<JobResults[Op]>;
  /** Sends bytes, which are given away; resolves when there is room for more, or the task has ended. */
  send(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Tells how many bytes of a growing file are there. */
  announce(size: number): void;
  /** No more bytes will be sent, or be in the file. */
  endInput(): void;
  /** Lets the worker send one more chunk. */
  grant(): void;
  /** Asks the job to stop soon. Harmless after its end. */
  cancel(): void;
}

class PoolWorker {
  readonly tasks = new Map<number, PoolTask>();
  readonly #worker: Worker;
  readonly #onIdle: () => void;

  constructor(onIdle: () => void, onExit: () => void) {
    this.#onIdle = onIdle;
    // The name as emitted: the compiler rewrites import specifiers, not URLs.
    this.#worker = new Worker(new URL('./worker/archive-worker.js', import.meta.url));
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) =>
      this.#fail(internal(`archive worker failed: ${error.message}`, { cause: error })),
    );
    this.#worker.on('exit', () => {
      onExit();
      this.#fail(internal('archive worker ended'));
    });
  }

  post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  start(id: number, job: Job, task: PoolTask): void {
    this.#worker.ref();
    this.tasks.set(id, task);
    this.post({ id, what: 'start', job });
  }

  /** An idle worker does not keep the process alive. */
  rest(): void {
    this.#worker.unref();
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    const task = this.tasks.get(message.id);
    if (task === undefined) return;
    if (message.what === 'ready') task.listener.onReady?.();
    else if (message.what === 'chunk') task.listener.onChunk?.(message.bytes);
    else if (message.what === 'credit') task.onCredit();
    else {
      this.tasks.delete(message.id);
      if (message.what === 'done') task.settle({ result: message.result });
      else {
        const { kind, message: text, details } = message.error;
        task.settle({ error: new BerthError(kind, text, { details: { ...details } }) });
      }
      if (this.tasks.size === 0) this.#onIdle();
    }
  }

  #fail(error: unknown): void {
    const tasks = [...this.tasks.values()];
    this.tasks.clear();
    for (const task of tasks) task.settle({ error });
  }
}

/**
 * A few worker threads that share the tasks. They start when there is work and end some time after the last, so an
 * idle engine has none. A worker interleaves its tasks chunk by chunk: a stalled stream holds up nobody else.
 */
export class WorkerPool {
  readonly #limit: number;
  readonly #idleTimeout: number;
  readonly #workers = new Set<PoolWorker>();
  readonly #timers = new Map<PoolWorker, NodeJS.Timeout>();
  #nextId = 1;
  #isClosed = false;

  /** At most `limit` threads; each ends `idleTimeout` ms after its last task. */
  constructor(limit: number, idleTimeout: number) {
    this.#limit = limit;
    this.#idleTimeout = idleTimeout;
  }

  /** Starts `job` in the least busy worker. An aborted `signal` cancels it. */
  start<Op extends Job['op']>(
    job: Job & { readonly op: Op },
    listener: TaskListener = {},
    signal?: AbortSignal,
  ): RunningTask<Op> {
    if (this.#isClosed) throw internal('the archiver is closed');
    if (signal?.aborted) throw canceled('canceled before it began', { cause: signal.reason });
    const worker = this.#choose();
    const id = this.#nextId;
    this.#nextId += 1;
    let credits = windowSize;
    let hasEnded = false;
    let wake: () => void = () => {};
    const { promise: done, resolve, reject } = promiseParts<JobResults[Op]>();
    const cancel = () => {
      if (!hasEnded) worker.post({ id, what: 'cancel' });
    };
    signal?.addEventListener('abort', cancel, { once: true });
    worker.start(id, job, {
      listener,
      onCredit: () => {
        credits += 1;
        wake();
      },
      settle: (outcome) => {
        hasEnded = true;
        signal?.removeEventListener('abort', cancel);
        wake();
        if ('error' in outcome) reject(outcome.error);
        // A job of kind Op ends with the result of kind Op: archive-worker.ts.
        else resolve(outcome.result as JobResults[Op]);
      },
    });
    return {
      done,
      cancel,
      grant: () => {
        if (!hasEnded) worker.post({ id, what: 'credit' });
      },
      announce: (size) => {
        if (!hasEnded) worker.post({ id, what: 'written', size });
      },
      endInput: () => {
        if (!hasEnded) worker.post({ id, what: 'end' });
      },
      send: async (bytes) => {
        if (hasEnded) return;
        credits -= 1;
        worker.post({ id, what: 'chunk', bytes }, [bytes.buffer]);
        while (credits <= 0 && !hasEnded) {
          await new Promise<void>((go) => {
            wake = go;
          });
        }
      },
    };
  }

  /** Ends all workers; tasks under way fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }

  #choose(): PoolWorker {
    let best: PoolWorker | undefined;
    for (const worker of this.#workers) {
      if (best === undefined || worker.tasks.size < best.tasks.size) best = worker;
    }
    if (best === undefined || (best.tasks.size > 0 && this.#workers.size < this.#limit)) best = this.#add();
    clearTimeout(this.#timers.get(best));
    this.#timers.delete(best);
    return best;
  }

  #add(): PoolWorker {
    const worker: PoolWorker = new PoolWorker(
      () => this.#endLater(worker),
      () => this.#forget(worker),
    );
    this.#workers.add(worker);
    return worker;
  }

  #endLater(worker: PoolWorker): void {
    worker.rest();
    const timer = setTimeout(() => {
      this.#forget(worker);
      void worker.terminate();
    }, this.#idleTimeout);
    timer.unref();
    this.#timers.set(worker, timer);
  }

  #forget(worker: PoolWorker): void {
    clearTimeout(this.#timers.get(worker));
    this.#timers.delete(worker);
    this.#workers.delete(worker);
  }
}

function promiseParts<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
