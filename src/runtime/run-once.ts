import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { canceled, invalid } from '#base';
import { Cgroup } from '#host';
import type { RuntimeSpec } from '#oci';
import type { OutputChunk } from './runtime.ts';
import { explainFailure } from './tasks/explain-failure.ts';
import { killCgroup } from './tasks/kill-cgroup.ts';
import type { OciRuntime } from './tasks/oci-runtime.ts';
import type { RuntimeContext } from './tasks/runtime-context.ts';

/** See `Runtime.runOnce`. */
export interface RunOnceOptions {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly output: (chunk: OutputChunk) => void;
  readonly stdin?: Duplex;
  readonly signal?: AbortSignal;
}

/** Where and with what to run. */
export interface RunOncePlace {
  readonly context: RuntimeContext;
  readonly runtime: OciRuntime;
  /** Bundle directory, made and removed here. */
  readonly directory: string;
}

/** Runs a container to its end without a monitor; see `Runtime.runOnce`. Throws `canceled` when aborted. */
export async function runOnce(options: RunOnceOptions, place: RunOncePlace): Promise<number> {
  options.signal?.throwIfAborted();
  const { directory, runtime, context } = place;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const cgroup = new Cgroup(context.cgroups, options.spec.linux.cgroupsPath ?? `/${options.id}`);
  try {
    await writeFile(join(directory, 'config.json'), JSON.stringify(options.spec), { mode: 0o600 });
    return await execute(options, place, cgroup);
  } finally {
    await killCgroup(cgroup);
    // `run` forgets the container by itself, unless it was killed.
    await rm(runtime.stateOf(options.id), { recursive: true, force: true });
    await cgroup.remove();
    await rm(directory, { recursive: true, force: true });
  }
}

async function execute(options: RunOnceOptions, place: RunOncePlace, cgroup: Cgroup): Promise<number> {
  const { context, runtime, directory } = place;
  const log = join(directory, 'runtime.log');
  // The program's own words go to a file, so that they cannot be taken for the container's output.
  const args = [`--root=${runtime.stateRoot}`, `--log=${log}`, 'run', '--bundle', directory, options.id];
  const child = context.processes.spawn(runtime.path, args, {
    stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  const kill = () => {
    // The runtime goes first: it may not have made the cgroup yet.
    child.kill('SIGKILL');
    void killCgroup(cgroup);
  };
  options.signal?.addEventListener('abort', kill, { once: true });
  try {
    if (options.stdin && child.stdin) {
      child.stdin.on('error', () => {}); // the process may end before it has read everything
      options.stdin.pipe(child.stdin);
    }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (data: Buffer) => options.output({ stream, data }));
    }
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(status ?? (signal === 'SIGKILL' ? 137 : 255)));
    });
    if (options.signal?.aborted) throw canceled(`run of ${options.id} was stopped`, { cause: options.signal.reason });
    const words = code === 0 ? '' : await readFile(log, 'utf8').catch(() => '');
    if (words === '') return code;
    const { text, details } = explainFailure(words);
    throw invalid(text, { details });
  } finally {
    options.signal?.removeEventListener('abort', kill);
  }
}
