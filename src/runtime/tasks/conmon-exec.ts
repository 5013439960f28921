import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { unavailable } from '#base';
import { identifyProcess, isAlive, processEnd, signalProcess } from '#host';
import type { ExecOptions, ExecTask } from '../runtime.ts';
import { Monitor } from './conmon.ts';
import type { ExecHost } from './exec-host.ts';
import { Monitored } from './monitored.ts';
import { bootId, type ProcessRecord, writeRecord } from './task-files.ts';

const kill = 9;

/** A process inside a container, with a monitor of its own. */
export class ConmonExec extends Monitored implements ExecTask {
  readonly #host: ExecHost;
  #monitor: Monitor | undefined;

  private constructor(id: string, host: ExecHost, record: ProcessRecord) {
    super(id, host.files.exec(id), record);
    this.#host = host;
    void this.exit.then(() => this.discard());
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
      await exec.discard();
      throw error;
    }
  }

  /** Takes over one that an earlier daemon started. */
  static adopt(host: ExecHost, id: string, record: ProcessRecord): ConmonExec {
    const exec = new ConmonExec(id, host, record);
    exec.watch(record.alive?.boot === bootId() ? record.alive.monitor : undefined);
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
      await this.discard();
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
    this.#host.forget(this.id);
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
