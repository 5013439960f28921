import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { canceled, invalid } from '#base';
import { Cgroup, warmUpCgroups } from '#host';
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
  readonly execRoot?: string;
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
    const spec = await context.seccomp.prepare(options.spec, runtime);
    await writeFile(join(directory, 'config.json'), JSON.stringify(spec), { mode: 0o600 });
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
  const args = [...runtime.command.args, `--log=${log}`, 'run', '--bundle', directory, options.id];
  void warmUpCgroups(context.cgroups);
  const child = context.processes.spawn(runtime.command.path, args, {
    env: runtime.command.env,
    stdio: [options.stdin ? 'pipe' : 'ignore', 'relay', 'relay'],
  });
  const kill = () => {
    // The runtime goes first: it may not have made the cgroup yet.
    child.kill('SIGKILL');
    void killCgroup(cgroup);
  };
  const gate = new FailureGate(options.output);
  options.signal?.addEventListener('abort', kill, { once: true });
  try {
    if (options.stdin && child.stdin) {
      child.stdin.on('error', () => {}); // the process may end before it has read everything
      options.stdin.pipe(child.stdin);
    }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (data: Buffer) => gate.push({ stream, data }));
      // Whatever prints has its filter in force, and the runtime forgets the container at its end.
      child[stream]?.once('data', () => void context.seccomp.learn(options.id, options.spec, runtime));
    }
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(status ?? (signal === 'SIGKILL' ? 137 : 255)));
    });
    if (options.signal?.aborted) throw canceled(`run of ${options.id} was stopped`, { cause: options.signal.reason });
    const words = code === 0 ? '' : await readFile(log, 'utf8').catch(() => '');
    if (words === '') {
      gate.open();
      return code;
    }
    gate.drop();
    const { text, details } = explainFailure(words);
    throw invalid(text, { details });
  } finally {
    gate.open();
    options.signal?.removeEventListener('abort', kill);
  }
}

/** How long the first words on stderr may wait, ms. */
const holdTime = 100;

/**
 * crun says why it failed on stderr too, and exits at once. So the first output, if on stderr, waits a moment: what the
 * runtime's log shows to be its own is dropped.
 */
class FailureGate {
  readonly #output: (chunk: OutputChunk) => void;
  #held: OutputChunk | undefined;
  #timer: NodeJS.Timeout | undefined;
  #decided = false;

  constructor(output: (chunk: OutputChunk) => void) {
    this.#output = output;
  }

  push(chunk: OutputChunk): void {
    if (!this.#decided && !this.#held && chunk.stream === 'stderr') {
      this.#held = chunk;
      this.#timer = setTimeout(() => this.open(), holdTime);
      return;
    }
    this.open();
    this.#output(chunk);
  }

  /** Hands on what is held; nothing is held from now on. */
  open(): void {
    const held = this.#held;
    this.drop();
    if (held) this.#output(held);
  }

  /** Forgets what is held. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#held = undefined;
    this.#decided = true;
  }
}
