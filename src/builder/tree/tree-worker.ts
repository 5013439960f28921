import { parentPort } from 'node:worker_threads';
import { type TreeJob, TreeJobRunner, toJobError } from './tree-job.ts';

// The entry of a worker thread: takes one job per message and answers each with its result or its error.
const runner = new TreeJobRunner();

parentPort?.on('message', (job: TreeJob) => {
  runner.run(job).then(
    (result) => parentPort?.postMessage({ result }),
    (error: unknown) => parentPort?.postMessage({ error: toJobError(error) }),
  );
});
