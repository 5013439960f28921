import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { errnoOf, internal, invalid, unavailable } from '#base';
import { type CgroupLayout, type Child, type Processes, warmUpCgroups } from '#host';
import { explainFailure } from './explain-failure.ts';
import type { OciRuntime } from './oci-runtime.ts';
import type { ProcessFiles } from './task-files.ts';

/** What conmon is started with. */
export interface MonitorOptions {
  readonly processes: Processes;
  readonly patience: number;
  readonly cgroups: CgroupLayout;
  /** Path of conmon. */
  readonly conmon: string;
  readonly containerId: string;
  /** Unique name of the monitored process: the container's id, or the exec's. */
  readonly id: string;
  readonly files: ProcessFiles;
  readonly runtime: Pick<OciRuntime, 'command'>;
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** conmon ends the process's stdin when an attached client ends its own. */
  readonly stdinOnce: boolean;
  readonly logPath?: string;
  /** True for a process inside a running container, described by `files.process`. */
  readonly exec: boolean;
}

/** fds of the child by position in `stdio`; conmon is told their numbers in its environment. */
const [syncFd, startFd, attachFd] = [3, 4, 5];

/**
 * One start of conmon (conmon(8)). It forks itself away from this process, runs the OCI runtime once, and reports the
 * pid or the runtime's message on the sync pipe, one JSON object a line.
 *
 * It stays in the cgroup of this process: its few hundred KiB and its log's page cache then never count against the
 * container's memory limit. A service manager must therefore kill the daemon only (systemd: KillMode=process).
 */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #child: Child;
  readonly #report: Promise<string | undefined>;
  /** Resolves when the process that forked conmon has ended. */
  readonly #forked: Promise<void>;
  #errors = '';

  constructor(options: MonitorOptions) {
    this.#options = options;
    const { files, exec } = options;
    void warmUpCgroups(options.cgroups);
    this.#child = options.processes.spawn(options.conmon, monitorArguments(options), {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', ...(exec ? (['pipe'] as const) : [])],
      cwd: files.directory,
      env: {
        ...options.runtime.command.env,
        _OCI_SYNCPIPE: String(syncFd),
        _OCI_STARTPIPE: String(startFd),
        ...(exec ? { _OCI_ATTACHPIPE: String(attachFd) } : {}),
      },
    });
    this.#forked = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.on('error', (error) => {
      this.#errors += error.message;
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      if (this.#errors.length < 16_384) this.#errors += data.toString();
    });
    this.#report = firstLine(this.#pipe(syncFd));
    const start = this.#pipe(startFd);
    start.on('error', () => {}); // a monitor that failed early: its sync pipe says why
    start.write('\0');
  }

  /** Resolves once an exec's attach socket exists; the process is not yet started. */
  async attachable(): Promise<void> {
    const answer = await firstLine(this.#pipe(attachFd));
    if (answer === undefined) throw unavailable(`conmon did not start: ${this.#errors.trim() || 'no message'}`);
  }

  /** Lets an exec start. */
  release(): void {
    this.#pipe(startFd).write('\0');
  }

  /**
   * Resolves with the pid that the runtime reports; throws `invalid` with its message, `unavailable` when nothing comes
   * for `patience` ms: a runtime killed after it made the process leaves conmon waiting for that one's output.
   */
  async reported(): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#options.patience);
    });
    try {
      const answer = await Promise.race([this.#report, silence]);
      if (answer === undefined) {
        const why = this.#errors.trim() || 'the OCI runtime was killed or hangs';
        throw unavailable(`conmon reported no process: ${why}`);
      }
      const { data, message } = JSON.parse(answer) as { data?: unknown; message?: unknown };
      if (typeof data === 'number' && data > 0) return data;
      const reason = typeof message === 'string' ? message : this.#errors;
      const { text, details } = explainFailure(reason);
      throw invalid(text || `the OCI runtime failed without a message (code ${String(data)})`, { details });
    } finally {
      clearTimeout(timer);
      this.close();
    }
  }

  /** Lets go of the pipes. An exec that was not released ends by that. */
  close(): void {
    for (const pipe of this.#child.stdio) pipe?.destroy();
  }

  /** Pid of conmon itself, once it has reported. The process that forked it writes it, perhaps only after the report. */
  async pid(): Promise<number> {
    const path = this.#options.files.monitorPid;
    try {
      const text = readFileSync(path, 'utf8');
      if (text !== '') return Number(text);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    await this.#forked;
    return Number(readFileSync(path, 'utf8'));
  }

  #pipe(fd: number): Readable & Writable {
    const pipe = this.#child.stdio[fd];
    if (!pipe) throw internal(`conmon has no descriptor ${fd}`);
    return pipe as Readable & Writable;
  }
}

function monitorArguments(options: MonitorOptions): string[] {
  const { files, runtime } = options;
  const flags = ['--api-version', '1', '--full-attach', '--no-sync-log', '--log-level', 'error'];
  flags.push('-c', options.containerId, '-u', options.id, '-n', options.id);
  flags.push('-r', runtime.command.path, ...runtime.command.args.flatMap((arg) => ['--runtime-arg', arg]));
  flags.push('-b', files.directory, '-p', files.pid, '-P', files.monitorPid, '--exit-dir', files.exitDirectory);
  flags.push('-l', options.logPath === undefined ? 'none' : `k8s-file:${options.logPath}`);
  if (options.terminal) flags.push('-t');
  if (options.stdin && !options.terminal) flags.push('-i');
  // A terminal has no end of input: a client that goes must not hang it up.
  if (options.terminal || !options.stdinOnce) flags.push('--leave-stdin-open');
  if (options.exec) flags.push('-e', '--exec-attach', '--exec-process-spec', files.process);
  return flags;
}

/** The first line of what comes; undefined when it ends before. */
function firstLine(input: Readable): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    input.setEncoding('utf8');
    input.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
    for (const event of ['error', 'close'] as const) input.on(event, () => resolve(text === '' ? undefined : text));
  });
}
