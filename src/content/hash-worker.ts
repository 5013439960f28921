import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** What the hashing thread is told: hash the file on to `size` bytes, answer with the digest, or forget the file. */
export type HashRequest =
  | { readonly type: 'advance'; readonly job: number; readonly path: string; readonly size: number }
  | { readonly type: 'finish'; readonly job: number; readonly path: string; readonly size: number }
  | { readonly type: 'drop'; readonly job: number };

/** The answer to `finish`. */
export type HashAnswer =
  | { readonly job: number; readonly hex: string }
  | { readonly job: number; readonly error: string };

interface Job {
  readonly fd: number;
  readonly hash: Hash;
  position: number;
  error: string | undefined;
}

const jobs = new Map<number, Job>();
const buffer = Buffer.allocUnsafe(512 * 1024);

function advance(request: { job: number; path: string; size: number }): Job {
  let job = jobs.get(request.job);
  if (job === undefined) {
    job = { fd: openSync(request.path, 'r'), hash: createHash('sha256'), position: 0, error: undefined };
    jobs.set(request.job, job);
  }
  while (job.position < request.size) {
    const wanted = Math.min(buffer.length, request.size - job.position);
    const count = readSync(job.fd, buffer, 0, wanted, job.position);
    if (count === 0) throw new Error(`${request.path} ends at ${job.position}, before byte ${request.size}`);
    job.hash.update(buffer.subarray(0, count));
    job.position += count;
  }
  return job;
}

function drop(id: number): void {
  const job = jobs.get(id);
  if (job === undefined) return;
  jobs.delete(id);
  closeSync(job.fd);
}

parentPort?.on('message', (request: HashRequest) => {
  if (request.type === 'drop') return drop(request.job);
  try {
    const job = advance(request);
    if (request.type === 'advance') return;
    parentPort?.postMessage({ job: request.job, hex: job.hash.digest('hex') } satisfies HashAnswer);
  } catch (error) {
    // An `advance` that failed is tried again, and answered for, by the `finish` that follows.
    if (request.type === 'advance') return;
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ job: request.job, error: message } satisfies HashAnswer);
  }
  drop(request.job);
});
