import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, type Logger, unavailable } from '#base';
import { detectCgroups, type Mounts, type Processes, warmUpCgroups } from '#host';
import { type RunOnceOptions, runOnce } from './run-once.ts';
import type { Runtime, Task, TaskOptions } from './runtime.ts';
import { ConmonTask, type TaskParts } from './tasks/conmon-task.ts';
import { findProgram } from './tasks/find-program.ts';
import { MachineCounters } from './tasks/machine-counters.ts';
import { findOciRuntimes, type OciRuntime, type RuntimeProgram } from './tasks/oci-runtime.ts';
import type { RuntimeContext } from './tasks/runtime-context.ts';
import { SeccompCache } from './tasks/seccomp-cache.ts';
import { ProcessFiles, readRecord } from './tasks/task-files.ts';

/** What `createRuntime` needs. */
export interface CreateRuntimeOptions {
  /** Directory for what lives while containers run: `tasks/ID`, `state/RUNTIME/ID`. Best on a tmpfs. */
  readonly execRoot: string;
  readonly processes: Processes;
  /** Given where this process has a mount namespace of its own, to keep the OCI runtimes read-only there. */
  readonly mounts?: Pick<Mounts, 'mount' | 'unmount'>;
  readonly logger: Logger;
  /** Default `conmon`, looked up in PATH. */
  readonly conmon?: string;
  /** Milliseconds that an OCI runtime may take to make a container; default a minute. */
  readonly patience?: number;
  /** Name and path of each OCI runtime, the default first; default crun and runc from PATH. */
  readonly programs?: readonly RuntimeProgram[];
  /** Programs beside crun and runc. */
  readonly morePrograms?: readonly RuntimeProgram[];
  /** Which of them is the default. Throws `invalid` where it is not found. */
  readonly defaultRuntime?: string;
}

const usual = [
  { name: 'crun', path: 'crun' },
  { name: 'runc', path: 'runc' },
];
const validId = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** Makes the runtime. Throws `unavailable` where the host has no OCI runtime or no conmon. */
export async function createRuntime(options: CreateRuntimeOptions): Promise<Runtime> {
  const { execRoot, processes } = options;
  await mkdir(join(execRoot, 'tasks'), { recursive: true, mode: 0o700 });
  const programs = [...(options.programs ?? usual), ...(options.morePrograms ?? [])];
  const runtimes = defaultFirst(await findOciRuntimes(programs, options), options.defaultRuntime);
  if (runtimes.length === 0) throw unavailable('no OCI runtime found: install crun or runc');
  for (const runtime of runtimes) await mkdir(runtime.stateRoot, { recursive: true, mode: 0o700 });
  const conmon = await findProgram(options.conmon ?? 'conmon');
  if (conmon === undefined) throw unavailable('conmon not found: install the package conmon');
  const cgroups = await detectCgroups();
  const seccomp = new SeccompCache(join(execRoot, 'seccomp'));
  return new ConmonRuntime(execRoot, runtimes, {
    processes,
    conmon,
    cgroups,
    seccomp,
    machine: new MachineCounters(),
    logger: options.logger,
    patience: options.patience ?? 60_000,
  });
}

function defaultFirst(runtimes: OciRuntime[], name: string | undefined): OciRuntime[] {
  if (name === undefined) return runtimes;
  const first = runtimes.find((runtime) => runtime.name === name);
  const known = runtimes.map((runtime) => runtime.name).join(', ');
  if (first === undefined) throw invalid(`default runtime "${name}" not found: there are ${known}`);
  return [first, ...runtimes.filter((runtime) => runtime !== first)];
}

class ConmonRuntime implements Runtime {
  readonly runtimes: readonly OciRuntime[];
  readonly #execRoot: string;
  readonly #context: RuntimeContext;

  constructor(execRoot: string, runtimes: readonly OciRuntime[], context: RuntimeContext) {
    this.#execRoot = execRoot;
    this.runtimes = runtimes;
    this.#context = context;
  }

  async create(options: TaskOptions): Promise<Task> {
    return await ConmonTask.create(this.#parts(options.id, options.runtime), options);
  }

  async adopt(id: string): Promise<Task | undefined> {
    if (!validId.test(id)) return undefined;
    const files = this.#files(id);
    const record = await readRecord(files);
    const known = this.runtimes.some((runtime) => runtime.name === record?.runtime);
    const parts = this.#parts(id, known ? record?.runtime : undefined);
    if (record?.alive) return await ConmonTask.adopt(parts, record);
    // A daemon that died during `create` leaves a container that never ran: nobody was told of it.
    if (record) await ConmonTask.remains(parts, record).remove();
    // Without a record there is no monitor either: it is written before conmon starts.
    else await rm(files.directory, { recursive: true, force: true });
    return undefined;
  }

  async list(): Promise<string[]> {
    return await readdir(join(this.#execRoot, 'tasks'));
  }

  warmUp(): void {
    void warmUpCgroups(this.#context.cgroups);
  }

  async runOnce(options: RunOnceOptions): Promise<number> {
    const { runtime } = this.#parts(options.id, undefined);
    const { execRoot } = options;
    const there = execRoot === undefined ? runtime : runtime.under(execRoot);
    if (execRoot !== undefined) await mkdir(there.stateRoot, { recursive: true, mode: 0o700 });
    return await runOnce(options, {
      context: this.#context,
      runtime: there,
      directory: join(execRoot ?? this.#execRoot, 'once', options.id),
    });
  }

  #files(id: string): ProcessFiles {
    return new ProcessFiles(join(this.#execRoot, 'tasks', id), id);
  }

  #parts(id: string, name: string | undefined): TaskParts {
    if (!validId.test(id)) throw invalid(`invalid container id "${id}"`);
    const runtime = name === undefined ? this.runtimes[0] : this.runtimes.find((one) => one.name === name);
    if (!runtime) throw invalid(`unknown or invalid runtime name: ${name}`);
    return { id, context: this.#context, runtime, files: this.#files(id) };
  }
}
