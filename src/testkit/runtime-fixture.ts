import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createLogger, newId } from '#base';
import { Cgroup, createProcesses, detectCgroups } from '#host';
import type { RuntimeSpec } from '#oci';
import {
  buildRuntimeSpec,
  createRuntime,
  type OutputChunk,
  type Runtime,
  type SpecInput,
  type Task,
  type TaskOptions,
} from '#runtime';
import { makeBusyboxRoot } from './busybox.ts';

/** A runtime on a temporary exec root with a busybox root file system. `dispose` removes every container made. */
export class RuntimeFixture {
  readonly directory: string;
  readonly rootfs: string;
  /** Path of the cgroup that holds the containers. */
  readonly cgroupParent: string;
  runtime: Runtime;

  private constructor(directory: string, runtime: Runtime) {
    this.directory = directory;
    this.rootfs = join(directory, 'rootfs');
    this.cgroupParent = `/${basename(directory)}`;
    this.runtime = runtime;
  }

  /** `programs` and `patience` as in `CreateRuntimeOptions`. */
  static async create(
    programs?: readonly { name: string; path: string }[],
    patience?: number,
  ): Promise<RuntimeFixture> {
    const directory = await mkdtemp('/tmp/berth-runtime-');
    const fixture = new RuntimeFixture(directory, await openRuntime(directory, programs, patience));
    makeBusyboxRoot(fixture.rootfs);
    return fixture;
  }

  /** As if the daemon had died: a new runtime that knows only what is on disk. */
  async restart(): Promise<Runtime> {
    this.runtime = await openRuntime(this.directory);
    return this.runtime;
  }

  /** A spec for `args` in a container `id`. */
  spec(id: string, args: readonly string[], change: (input: SpecInput) => SpecInput = (input) => input): RuntimeSpec {
    return buildRuntimeSpec(change(defaultInput(this, id, args)));
  }

  /** Creates a task that runs `args`; stdin closed unless told otherwise. */
  create(
    args: readonly string[],
    options: Partial<TaskOptions> & { change?: (input: SpecInput) => SpecInput } = {},
  ): Promise<Task> {
    const { change, ...rest } = options;
    const id = options.id ?? newId();
    return this.runtime.create({ id, spec: this.spec(id, args, change), stdin: false, stdinOnce: false, ...rest });
  }

  /** Removes every container and all files. */
  async dispose(): Promise<void> {
    const runtime = await this.restart();
    for (const id of await runtime.list()) await (await runtime.adopt(id))?.remove();
    await new Cgroup(await detectCgroups(), this.cgroupParent).remove();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** All output as text, by stream. */
export async function collect(output: AsyncIterable<OutputChunk>): Promise<{ stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for await (const { stream, data } of output) text[stream] += data.toString();
  return text;
}

function openRuntime(
  directory: string,
  programs?: readonly { name: string; path: string }[],
  patience?: number,
): Promise<Runtime> {
  return createRuntime({
    execRoot: join(directory, 'exec'),
    processes: createProcesses(),
    logger: createLogger('warn', (line) => process.stderr.write(line)),
    ...(programs ? { programs } : {}),
    ...(patience === undefined ? {} : { patience }),
  });
}

function defaultInput(fixture: RuntimeFixture, id: string, args: readonly string[]): SpecInput {
  const { rootfs, cgroupParent } = fixture;
  return {
    rootfs,
    readonlyRootfs: false,
    hostname: id.slice(0, 12),
    process: { args, env: ['PATH=/bin:/sbin'], cwd: '/', uid: 0, gid: 0, additionalGids: [], terminal: false },
    mounts: [],
    namespaces: { pid: 'private', network: 'private', ipc: 'private', uts: 'private', cgroup: 'private' },
    security: { privileged: false, capAdd: [], capDrop: [], seccomp: 'default', noNewPrivileges: false },
    resources: {},
    devices: [],
    deviceRules: [],
    ulimits: [],
    sysctls: {},
    oomScoreAdj: 0,
    shmSize: 64 * 1024 * 1024,
    cgroupPath: `${cgroupParent}/${id}`,
    annotations: {},
  };
}
