import { parentPort } from 'node:worker_threads';
import { BerthError, canceled, messageOf } from '#base';
import { ThreadRoot } from '#host';
import { applyLayer, followLayer } from './apply-layer.ts';
import { diffLayer } from './diff-layer.ts';
import { listPath, packPath } from './pack-path.ts';
import {
  type FromWorker,
  type Job,
  type JobResults,
  type TaskContext,
  type ToWorker,
  type WireError,
  windowSize,
} from './task.ts';
import { unpackPath } from './unpack-path.ts';

/** One task of this thread: its queues of bytes in both directions. */
class Task implements TaskContext {
  readonly #id: number;
  readonly #post: (message: FromWorker, transfer?: ArrayBuffer[]) => void;
  readonly #abort = new AbortController();
  #credits = windowSize;
  #received: Buffer[] = [];
  #written = 0;
  #hasEnded = false;
  #wake: () => void = () => {};

  constructor(id: number, post: (message: FromWorker, transfer?: ArrayBuffer[]) => void) {
    this.#id = id;
    this.#post = post;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get written(): { readonly size: number; readonly isWhole: boolean } {
    return { size: this.#written, isWhole: this.#hasEnded };
  }

  /** Takes what the caller sent. */
  accept(message: Exclude<ToWorker, { what: 'start' }>): void {
    if (message.what === 'chunk')
      this.#received.push(Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength));
    else if (message.what === 'written') this.#written = message.size;
    else if (message.what === 'end') this.#hasEnded = true;
    else if (message.what === 'credit') this.#credits += 1;
    else this.#abort.abort();
    this.#wake();
  }

  ready(): void {
    this.#post({ id: this.#id, what: 'ready' });
  }

  async send(bytes: Uint8Array): Promise<void> {
    const whole = bytes.buffer;
    if (!(whole instanceof ArrayBuffer)) throw new Error('the buffer of a chunk cannot be given away');
    this.#credits -= 1;
    this.#post({ id: this.#id, what: 'chunk', bytes }, [whole]);
    while (this.#credits <= 0 && !this.signal.aborted) await this.changed();
  }

  async *receive(): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.signal.aborted) throw canceled('canceled');
      const chunk = this.#received.shift();
      if (chunk !== undefined) {
        yield chunk;
        this.#post({ id: this.#id, what: 'credit' });
      } else if (this.#hasEnded) {
        return;
      } else {
        await this.changed();
      }
    }
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function run(job: Job, root: ThreadRoot, task: TaskContext): Promise<JobResults[Job['op']]> {
  switch (job.op) {
    case 'apply':
      return applyLayer(job, root, task);
    case 'follow':
      return followLayer(job, root, task);
    case 'diff':
      return diffLayer(job, root, task);
    case 'pack':
      return packPath(job, root, task).then(() => undefined);
    case 'list':
      return listPath(job, root);
    case 'unpack':
      return unpackPath(job, root, task).then(() => undefined);
  }
}

function toWire(error: unknown): WireError {
  if (error instanceof BerthError) return { kind: error.kind, message: error.message, details: { ...error.details } };
  const isSystem = typeof error === 'object' && error !== null && 'syscall' in error;
  return { kind: isSystem ? 'unavailable' : 'internal', message: messageOf(error), details: {} };
}

const port = parentPort;
if (port !== null) {
  const root = new ThreadRoot();
  const tasks = new Map<number, Task>();
  const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  port.on('message', (message: ToWorker) => {
    if (message.what !== 'start') {
      tasks.get(message.id)?.accept(message);
      return;
    }
    const task = new Task(message.id, post);
    tasks.set(message.id, task);
    run(message.job, root, task)
      .then((result) => post({ id: message.id, what: 'done', result }))
      .catch((error: unknown) => post({ id: message.id, what: 'failed', error: toWire(error) }))
      .finally(() => tasks.delete(message.id));
  });
}
