import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { unavailable } from '#base';
import { type Cgroup, identifyProcess, isAlive, processEnd, signalProcess } from '#host';
import type { ExecOptions, ExecTask } from '../runtime.ts';
import { Monitor } from './conmon.ts';
import { Monitored } from './monitored.ts';
import type { OciRuntime } from './oci-runtime.ts';
import type { RuntimeContext } from './runtime-context.ts';
import { bootId, type ProcessFiles, type ProcessRecord, readRecord, writeRecord } from './task-files.ts';

const kill = 9;

/** Where an exec belongs. */
export interface ExecHost {
  readonly context: RuntimeContext;
  readonly containerId: string;
  readonly runtime: OciRuntime;
  readonly cgroup: Cgroup;
  readonly files: ProcessFiles;
}

/** A process inside a container, with a monitor of its own. */
export class ConmonExec extends Monitored implements ExecTask {
  #monitor: Monitor | undefined;

  private constructor(id: string, host: ExecHost, record: ProcessRecord) {
    super(id, host.files.exec(id), record);
  }

  /** Starts the monitor, which waits for `start`. On failure nothing stays behind. */
  static async prepare(host: ExecHost, options: ExecOptions): Promise<ConmonExec> {
    const terminal = options.process.terminal === true;
    const record = {
      runtime: host.runtime.name,
      cgroupPath: host.cgroup.path,
      terminal,
      stdinOnce: options.stdin,
      ...(options.note === undefined ? {} : { note: options.note }),
    };
    const exec = new ConmonExec(options.id, host, record);
    const { files } = exec;
    mkdirSync(files.exitDirectory, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(files.process, JSON.stringify(options.process), { mode: 0o600 });
      exec.#monitor = new Monitor({
        ...host.context,
        containerId: host.containerId,
        id: options.id,
        files,
        runtime: host.runtime,
        terminal,
        stdin: options.stdin,
        stdinOnce: options.stdin,
        exec: true,
      });
      await exec.#monitor.attachable();
      return exec;
    } catch (error) {
      exec.#monitor?.close();
      await rm(files.directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Takes over one that an earlier daemon started; undefined (and cleared away) where it never ran. */
  static async adopt(host: ExecHost, id: string): Promise<ConmonExec | undefined> {
    const files = host.files.exec(id);
    const record = await readRecord(files);
    if (!record?.alive) {
      await rm(files.directory, { recursive: true, force: true });
      return undefined;
    }
    const exec = new ConmonExec(id, host, record);
    const sameBoot = record.alive.boot === bootId();
    exec.watch(sameBoot ? record.alive.monitor : undefined);
    return exec;
  }

  get note(): string | undefined {
    return this.record.note;
  }

  async start(): Promise<void> {
    const monitor = this.#monitor;
    if (!monitor) throw unavailable(`exec ${this.id} was started already`);
    this.#monitor = undefined;
    try {
      monitor.release();
      const pid = await monitor.reported();
      const [main, watcher] = await Promise.all([identifyProcess(pid), monitor.pid().then(identifyProcess)]);
      // Short-lived ones may have ended by now; startTicks 0 then never matches a live process.
      const alive = {
        boot: bootId(),
        process: main ?? { pid, startTicks: 0 },
        monitor: watcher ?? { pid: 0, startTicks: 0 },
      };
      this.record = { ...this.record, alive };
      writeRecord(this.files, this.record);
      this.watch(watcher);
    } catch (error) {
      await rm(this.files.directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Ends it, if it runs, and removes its files. Harmless when repeated. */
  async discard(): Promise<void> {
    this.#monitor?.close();
    const { alive } = this.record;
    if (alive && (await isAlive(alive.monitor))) {
      signalProcess(alive.process, kill);
      await processEnd(alive.monitor);
    }
    await rm(this.files.directory, { recursive: true, force: true });
  }

  protected override async killWithoutMonitor(): Promise<void> {
    const { alive } = this.record;
    if (!alive) return;
    signalProcess(alive.process, kill);
    await processEnd(alive.process);
  }

  protected override async outOfMemory(): Promise<boolean> {
    return false; // a container's kill count does not tell which process was hit
  }
}
