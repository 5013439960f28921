import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict, errnoOf, isBerthError, messageOf, notFound, withUndo } from '#base';
import { Cgroup, identifyProcess, isAlive, processEnd, signalProcess } from '#host';
import type { RuntimeResources, RuntimeSpec } from '#oci';
import { LogRotator } from '../log/log-rotator.ts';
import type { ExecOptions, ExecTask, Task, TaskOptions, TaskStats } from '../runtime.ts';
import { Monitor } from './conmon.ts';
import { ConmonExec } from './conmon-exec.ts';
import type { ExecHost } from './exec-host.ts';
import { killCgroup } from './kill-cgroup.ts';
import { Monitored } from './monitored.ts';
import type { OciRuntime } from './oci-runtime.ts';
import { readOutOfMemory } from './out-of-memory.ts';
import { PipedExec } from './piped-exec.ts';
import { readStats } from './read-stats.ts';
import type { RuntimeContext } from './runtime-context.ts';
import { settleFreeze } from './settle-freeze.ts';
import { bootId, type ProcessFiles, type ProcessRecord, readRecord, writeRecord } from './task-files.ts';
import { liftLimits, withoutUnlimited } from './unlimited.ts';

/** What a task is put together from. */
export interface TaskParts {
  readonly id: string;
  readonly context: RuntimeContext;
  readonly runtime: OciRuntime;
  readonly files: ProcessFiles;
}

/** A container whose main process is watched by conmon. */
export class ConmonTask extends Monitored implements Task {
  readonly #context: RuntimeContext;
  readonly #runtime: OciRuntime;
  readonly #cgroup: Cgroup;
  readonly #execs = new Map<string, ConmonExec | PipedExec>();
  #execsRead: Promise<void> | undefined;
  #removal: Promise<void> | undefined;

  private constructor(parts: TaskParts, record: ProcessRecord) {
    super(parts.id, parts.files, record);
    this.#context = parts.context;
    this.#runtime = parts.runtime;
    this.#cgroup = new Cgroup(parts.context.cgroups, record.cgroupPath);
  }

  /** Makes the container; its process waits for `start`. Throws `conflict` where `id` is taken. */
  static create(parts: TaskParts, options: TaskOptions): Promise<ConmonTask> {
    const { files, context, runtime } = parts;
    const terminal = options.spec.process.terminal === true;
    const record: ProcessRecord = {
      runtime: runtime.name,
      cgroupPath: options.spec.linux.cgroupsPath ?? `/${options.id}`,
      terminal,
      stdinOnce: options.stdinOnce,
      ...(options.logPath === undefined
        ? {}
        : {
            log: {
              path: options.logPath,
              ...(options.logRotation ? { rotation: options.logRotation } : {}),
            },
          }),
    };
    return withUndo(async (undo) => {
      try {
        mkdirSync(files.directory, { mode: 0o700 });
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
        throw conflict(`container ${options.id} exists in the runtime already: remove it first`);
      }
      const task = new ConmonTask(parts, record);
      undo.push(() => task.remove());
      const limited = limitedOnly(options.spec);
      const spec = await context.seccomp.prepare(limited, runtime);
      mkdirSync(files.exitDirectory, { mode: 0o700 });
      writeFileSync(files.config, JSON.stringify(spec), { mode: 0o600 });
      writeRecord(files, record);
      const monitor = new Monitor({
        ...context,
        containerId: options.id,
        id: options.id,
        files,
        runtime,
        terminal,
        stdin: options.stdin,
        stdinOnce: options.stdinOnce,
        ...(options.logPath === undefined ? {} : { logPath: options.logPath }),
        exec: false,
      });
      await task.#begin(await monitor.reported(), await monitor.pid());
      if (spec === limited) await context.seccomp.learn(options.id, spec, runtime);
      return task;
    });
  }

  /** Takes over what an earlier daemon made; `record.alive` must be there. */
  static async adopt(parts: TaskParts, record: ProcessRecord): Promise<ConmonTask> {
    const task = new ConmonTask(parts, record);
    const sameBoot = record.alive?.boot === bootId();
    task.watch(sameBoot ? record.alive?.monitor : undefined);
    task.#rotateLog();
    return task;
  }

  /** For clearing away what was left half made: only `remove` makes sense on it. */
  static remains(parts: TaskParts, record: ProcessRecord): ConmonTask {
    return new ConmonTask(parts, record);
  }

  start(): Promise<void> {
    return this.#runtime.start(this.id);
  }

  async signal(signal: number, options: { all?: boolean } = {}): Promise<void> {
    const main = this.record.alive?.process;
    if (!main || !signalProcess(main, signal)) throw notFound(`container ${this.id} has no running process`);
    if (!options.all) return;
    for (const pid of await this.#cgroup.pids()) {
      const other = pid === main.pid ? undefined : await identifyProcess(pid);
      if (other) signalProcess(other, signal);
    }
  }

  async pause(): Promise<void> {
    await this.#runtime.pause(this.id);
    await settleFreeze(this.#cgroup);
  }

  resume(): Promise<void> {
    return this.#runtime.resume(this.id);
  }

  async exec(options: ExecOptions): Promise<ExecTask> {
    const piped = options.attached && options.process.terminal !== true;
    const exec = await (piped ? PipedExec : ConmonExec).prepare(this.#execHost(), options);
    this.#execs.set(options.id, exec);
    return exec;
  }

  async execs(): Promise<ExecTask[]> {
    this.#execsRead ??= this.#readExecs();
    await this.#execsRead;
    return [...this.#execs.values()];
  }

  async update(resources: RuntimeResources): Promise<void> {
    const path = join(this.files.directory, `resources-${randomUUID()}.json`);
    writeFileSync(path, JSON.stringify(withoutUnlimited(resources)), { mode: 0o600 });
    try {
      await this.#runtime.update(this.id, path);
      await liftLimits(this.#cgroup, resources);
    } finally {
      await rm(path, { force: true });
    }
  }

  pids(): Promise<number[]> {
    return this.#cgroup.pids();
  }

  async stats(): Promise<TaskStats> {
    return readStats(this.#cgroup, this.#context.machine);
  }

  remove(): Promise<void> {
    this.#removal ??= this.#remove().catch((error: unknown) => {
      this.#removal = undefined; // so that it can be tried again
      throw error;
    });
    return this.#removal;
  }

  protected override async killWithoutMonitor(): Promise<void> {
    await killCgroup(this.#cgroup);
    const main = this.record.alive?.process;
    if (main) await processEnd(main);
  }

  protected override outOfMemory(): Promise<boolean> {
    return readOutOfMemory(this.#cgroup);
  }

  async #begin(pid: number, monitorPid: number): Promise<void> {
    const [main, monitor] = await Promise.all([identifyProcess(pid), identifyProcess(monitorPid)]);
    if (!main || !monitor) throw notFound(`container ${this.id} ended before it was started`);
    this.record = { ...this.record, alive: { boot: bootId(), process: main, monitor } };
    this.watch(monitor);
    this.#rotateLog();
    writeRecord(this.files, this.record);
  }

  #rotateLog(): void {
    const { log } = this.record;
    if (!log?.rotation) return;
    const { path, rotation } = log;
    const reopen = () => this.control('2 0 0\n');
    const rotator = new LogRotator({ path, ...rotation, reopen, logger: this.#context.logger });
    void this.exit.then(() => rotator.stop());
  }

  async #remove(): Promise<void> {
    await killCgroup(this.#cgroup);
    await this.#deleteState();
    const monitor = this.record.alive?.monitor;
    if (monitor && this.record.alive?.boot === bootId() && (await isAlive(monitor))) await processEnd(monitor);
    for (const exec of await this.execs()) await exec.discard();
    await this.#cgroup.remove();
    await rm(this.files.directory, { recursive: true, force: true });
  }

  async #deleteState(): Promise<void> {
    const state = this.#runtime.stateOf(this.id);
    try {
      await this.#runtime.delete(this.id);
    } catch (error) {
      if (!isBerthError(error)) throw error;
      // State that the runtime itself cannot read (it was killed half way) is only files by now.
      this.#context.logger.debug('runtime could not delete a container', { id: this.id, error: messageOf(error) });
    }
    await rm(state, { recursive: true, force: true });
  }

  async #readExecs(): Promise<void> {
    const names = await readdir(this.files.execs).catch(() => []);
    for (const id of names) {
      if (this.#execs.has(id)) continue;
      const files = this.files.exec(id);
      const record = await readRecord(files);
      // One without pids never ran.
      if (!record?.alive) await rm(files.directory, { recursive: true, force: true });
      else this.#execs.set(id, (record.piped ? PipedExec : ConmonExec).adopt(this.#execHost(), id, record));
    }
  }

  #execHost(): ExecHost {
    return {
      context: this.#context,
      containerId: this.id,
      runtime: this.#runtime,
      cgroup: this.#cgroup,
      files: this.files,
      forget: (id) => this.#execs.delete(id),
    };
  }
}

function limitedOnly(spec: RuntimeSpec): RuntimeSpec {
  const { resources } = spec.linux;
  return resources ? { ...spec, linux: { ...spec.linux, resources: withoutUnlimited(resources) } } : spec;
}
