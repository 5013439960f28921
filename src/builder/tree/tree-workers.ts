import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BerthError, canceled, Semaphore, unavailable } from '#base';
import type { TreeJob, TreeJobError, TreeJobResults } from './tree-job.ts';

const idleMs = 15_000;

type Reply = { readonly result: never } | { readonly error: TreeJobError };

/** Worker threads for {@link TreeJob}s: started when needed, ended when idle for a while. */
export class TreeWorkers {
  readonly #slots = new Semaphore(Math.min(4, availableParallelism()));
  readonly #idle = new Map<Worker, NodeJS.Timeout>();

  /** Runs a job on a free thread. Aborting ends the thread. Throws what the job throws, `canceled`. */
  run<Job extends TreeJob>(job: Job, signal?: AbortSignal): Promise<TreeJobResults[Job['kind']]> {
    return this.#slots.run(async () => {
      if (signal?.aborted) throw canceled('the build was canceled');
      const worker = this.#take();
      try {
        const reply = await this.#ask(worker, job, signal);
        this.#give(worker);
        if ('error' in reply) throw toError(reply.error);
        return reply.result;
      } catch (error) {
        if (!this.#idle.has(worker)) await worker.terminate();
        throw error;
      }
    });
  }

  /** Ends the idle threads. Call when no job runs. */
  async close(): Promise<void> {
    const workers = [...this.#idle];
    this.#idle.clear();
    for (const [, timer] of workers) clearTimeout(timer);
    await Promise.all(workers.map(([worker]) => worker.terminate()));
  }

  #ask(worker: Worker, job: TreeJob, signal: AbortSignal | undefined): Promise<Reply> {
    const { promise, resolve, reject } = withResolvers<Reply>();
    const onAbort = () => reject(canceled('the build was canceled'));
    const onError = (error: Error) => reject(unavailable(`a file worker failed: ${error.message}`, { cause: error }));
    worker.once('message', resolve);
    worker.once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
    worker.postMessage(job);
    return promise.finally(() => {
      worker.off('message', resolve);
      worker.off('error', onError);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  #take(): Worker {
    for (const [worker, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(worker);
      worker.ref();
      return worker;
    }
    return new Worker(new URL('./tree-worker.js', import.meta.url));
  }

  #give(worker: Worker): void {
    worker.unref();
    const timer = setTimeout(() => {
      this.#idle.delete(worker);
      void worker.terminate();
    }, idleMs);
    timer.unref();
    this.#idle.set(worker, timer);
  }
}

function toError(error: TreeJobError): Error {
  return error.kind === undefined ? unavailable(error.message) : new BerthError(error.kind, error.message);
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
