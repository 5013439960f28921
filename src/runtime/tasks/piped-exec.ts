import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { conflict, errnoOf, invalid, notFound, unavailable } from '#base';
import { type Child, identifyProcess, processEnd, signalProcess, warmUpCgroups } from '#host';
import type { Attachment, ExecOptions, ExecTask, ExitStatus } from '../runtime.ts';
import type { ExecHost } from './exec-host.ts';
import { explainFailure } from './explain-failure.ts';
import { OutputQueue } from './output-queue.ts';
import { PipedOutput } from './piped-output.ts';
import { bootId, type ProcessFiles, type ProcessRecord, writeRecord } from './task-files.ts';

const kill = 9;
const killedCode = 137;
/** Exit code of one that outlived its daemon: nobody was there to be told. */
const unknownCode = 255;

/**
 * A process inside a container whose output somebody takes from the start. Without a terminal and without a log it needs
 * no monitor: the OCI runtime itself waits for it and passes its exit code on, half the cost of an exec through conmon.
 * Its output comes through relays, which outlive this daemon: the process goes on when its client is gone.
 */
export class PipedExec implements ExecTask {
  readonly id: string;
  readonly exit: Promise<ExitStatus>;
  readonly #host: ExecHost;
  readonly #files: ProcessFiles;
  readonly #queue = new OutputQueue();
  readonly #stdin: boolean;
  #record: ProcessRecord;
  #child: Child | undefined;
  #attached = false;
  #settle: (status: ExitStatus) => void = () => {};

  private constructor(id: string, host: ExecHost, record: ProcessRecord) {
    this.id = id;
    this.#host = host;
    this.#files = host.files.exec(id);
    this.#record = record;
    this.#stdin = record.stdinOnce;
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Makes its files; nothing runs before `start`. */
  static prepare(host: ExecHost, options: ExecOptions): PipedExec {
    // Its start follows at once, most times: the wait for the kernel's lock begins as early as can be.
    void warmUpCgroups(host.context.cgroups);
    const exec = new PipedExec(options.id, host, {
      runtime: host.runtime.name,
      cgroupPath: host.cgroup.path,
      terminal: false,
      stdinOnce: options.stdin,
      piped: true,
      ...(options.note === undefined ? {} : { note: options.note }),
    });
    mkdirSync(exec.#files.directory, { recursive: true, mode: 0o700 });
    writeFileSync(exec.#files.process, JSON.stringify(options.process), { mode: 0o600 });
    return exec;
  }

  /** Takes over one that an earlier daemon started and that may still run. */
  static adopt(host: ExecHost, id: string, record: ProcessRecord): PipedExec {
    const exec = new PipedExec(id, host, record);
    const alive = record.alive?.boot === bootId() ? record.alive.monitor : undefined;
    void (alive ? processEnd(alive) : Promise.resolve()).then(() => exec.#ended(unknownCode));
    return exec;
  }

  get pid(): number {
    return readPid(this.#files.pid) ?? 0;
  }

  get note(): string | undefined {
    return this.#record.note;
  }

  /** The one connection there is. Throws `conflict` when it was taken, `not-found` after the daemon that had it died. */
  async attach(): Promise<Attachment> {
    if (this.#record.alive) throw notFound('the output of this process went to a client that is gone');
    if (this.#attached) throw conflict(`exec ${this.id} has its client already`);
    this.#attached = true;
    return {
      output: this.#queue,
      write: (data) => this.#write(data),
      endInput: () => void this.#child?.stdin?.end(),
      close: () => {
        this.#queue.end();
        this.#queue.source?.resume(); // what still comes is dropped
        this.#child?.stdin?.end();
      },
    };
  }

  async resize(): Promise<void> {
    throw conflict(`process ${this.id} has no terminal to resize`);
  }

  async start(): Promise<void> {
    if (this.#child) throw unavailable(`exec ${this.id} was started already`);
    try {
      await this.#start();
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Ends it, if it runs, and removes its files. Harmless when repeated. */
  async discard(): Promise<void> {
    await this.#killProcess();
    const { alive } = this.#record;
    // Pid 0 stands for a runtime that had ended before it could be identified.
    if (alive && alive.monitor.pid !== 0) {
      signalProcess(alive.monitor, kill);
      await processEnd(alive.monitor);
    }
    await this.#forget();
  }

  async #start(): Promise<void> {
    const { context, runtime, containerId } = this.#host;
    const log = `${this.#files.directory}/runtime.log`;
    const pidFile = whenWritten(this.#files.pid);
    try {
      void warmUpCgroups(context.cgroups);
      const args = [...runtime.command.args, `--log=${log}`, 'exec', '--process', this.#files.process];
      const child = context.processes.spawn(
        runtime.command.path,
        [...args, '--pid-file', this.#files.pid, containerId],
        {
          stdio: [this.#stdin ? 'pipe' : 'ignore', 'relay', 'relay'],
          env: runtime.command.env,
        },
      );
      this.#child = child;
      const ended = new Promise<number | undefined>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code) => resolve(code ?? undefined));
      });
      child.stdin?.on('error', () => {}); // the process may end before it has read everything
      const monitor = child.pid === undefined ? undefined : await identifyProcess(child.pid);
      const alive = {
        boot: bootId(),
        process: { pid: 0, startTicks: 0 },
        monitor: monitor ?? { pid: 0, startTicks: 0 },
      };
      this.#record = { ...this.#record, alive };
      writeRecord(this.#files, this.#record);
      await Promise.race([pidFile.written, ended]);
      if (!existsSync(this.#files.pid)) throw await failure(log, child, await ended);
      // Only now: what came before the process ran was the runtime's, and stays unread when it failed.
      const output = new PipedOutput(child, this.#queue);
      void ended.then(async (code) => {
        if (code === undefined) await this.#killProcess(); // the runtime was killed: nobody waits for the process
        const at = Date.now();
        await output.complete();
        await this.#ended(code ?? killedCode, at);
      });
    } finally {
      pidFile.stop();
    }
  }

  async #ended(code: number, at = Date.now()): Promise<void> {
    this.#queue.end();
    this.#settle({ code, at, oomKilled: false });
    await this.#forget();
  }

  async #forget(): Promise<void> {
    this.#host.forget(this.id);
    await rm(this.#files.directory, { recursive: true, force: true });
  }

  async #killProcess(): Promise<void> {
    const process = readPid(this.#files.pid);
    // A pid in the container's cgroup cannot be that of a stranger.
    if (process === undefined || !(await this.#host.cgroup.pids()).includes(process)) return;
    const identity = await identifyProcess(process);
    if (identity) signalProcess(identity, kill);
  }

  #write(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const input = this.#child?.stdin;
      if (!input?.writable) return reject(notFound('the process takes no more input'));
      input.write(data, (error) => {
        if (error) reject(notFound(`the process takes no more input: ${error.message}`));
        else resolve();
      });
    });
  }
}

async function failure(log: string, child: Child, code: number | undefined): Promise<Error> {
  for (const stream of child.stdio) stream?.destroy();
  if (code === undefined) return unavailable('the OCI runtime was killed before it started the process');
  const { text, details } = explainFailure(await readFile(log, 'utf8').catch(() => ''));
  return invalid(text || `the OCI runtime failed without a message (code ${code})`, { details });
}

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Resolves once `path`, in a directory that is there, has a pid in it. */
function whenWritten(path: string): { written: Promise<void>; stop: () => void } {
  const watcher = watch(path.slice(0, path.lastIndexOf('/')), { persistent: false });
  const written = new Promise<void>((resolve) => {
    watcher.on('change', () => readPid(path) !== undefined && resolve());
    watcher.on('error', () => resolve());
  });
  return { written, stop: () => watcher.close() };
}
