import type { Duplex } from 'node:stream';
import type { RuntimeProcess, RuntimeResources, RuntimeSpec } from '#oci';

/** How a process ended. */
export interface ExitStatus {
  /** 0-255; 128+n when signal n ended it. */
  readonly code: number;
  /** ms since the epoch. */
  readonly at: number;
  /** True when the kernel's OOM killer hit the container's cgroup. */
  readonly oomKilled: boolean;
}

/** A chunk of output and where it came from. A terminal has only `stdout`. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

/** A live connection to a process's stdio. Several may exist at once; each gets all output from its attach on. */
export interface Attachment {
  /** Output in order, ends when the process's output ends. Reading slowly slows the process, not the engine. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Resolves when the bytes were taken. Rejects once the process is gone. */
  write(data: Uint8Array): Promise<void>;
  /** Ends the process's stdin (only when it was made with `stdinOnce`, else a no-op). */
  endInput(): void;
  /** Detaches; the process goes on. Harmless when repeated. */
  close(): void;
}

/** What to make a container's main process from. */
export interface TaskOptions {
  /** Container id: 64 hex digits. */
  readonly id: string;
  readonly spec: RuntimeSpec;
  /** OCI runtime by name: `crun`, `runc`; default the engine's. */
  readonly runtime?: string;
  /** Keep stdin open for attaching. */
  readonly stdin: boolean;
  /** Close stdin when the first attached client ends its input. */
  readonly stdinOnce: boolean;
  /** File that gets the log lines (CRI format: `TIME stdout|stderr F|P TEXT`); undefined keeps no log. */
  readonly logPath?: string;
  /** Rotate the log above so many bytes, keep so many files. */
  readonly logRotation?: { maxBytes: number; maxFiles: number };
}

/** What to run inside a container that runs. */
export interface ExecOptions {
  readonly id: string;
  readonly process: RuntimeProcess;
  readonly stdin: boolean;
  /**
   * The caller attaches before `start`, once, and takes the output. Without a terminal such a process needs no monitor;
   * its exit code is not known (255) to a daemon that adopts it.
   */
  readonly attached: boolean;
  /** Kept with the process and given back by {@link ExecTask.note}, also to a later daemon. */
  readonly note?: string;
}

/** A process that this engine started through a monitor (conmon), main or exec. */
export interface MonitoredProcess {
  readonly id: string;
  /** Pid in the host's pid namespace. */
  readonly pid: number;
  /** Resolves once, when the process has ended and its output is complete. Never rejects. */
  readonly exit: Promise<ExitStatus>;
  attach(): Promise<Attachment>;
  /** Terminal size in characters. Throws `conflict` when there is no terminal. */
  resize(size: { rows: number; columns: number }): Promise<void>;
}

/** A container as the runtime sees it: created, running, paused or stopped, never renamed or restarted. */
export interface Task extends MonitoredProcess {
  /** Lets the created process run. Call once. Throws `invalid` with the runtime's reason (no such executable ...). */
  start(): Promise<void>;
  /** Sends a signal by number to the main process, or to all of the container's. A gone process is `not-found`. */
  signal(signal: number, options?: { all?: boolean }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Starts a process inside; throws `invalid` with the runtime's reason. Output attached before it starts loses nothing. */
  exec(options: ExecOptions): Promise<ExecTask>;
  /** Execs taken over from an earlier daemon, by id. */
  execs(): Promise<ExecTask[]>;
  update(resources: RuntimeResources): Promise<void>;
  /** Pids (host namespace) of all processes inside. */
  pids(): Promise<number[]>;
  /** Counters from the cgroup. Throws `not-found` when it is gone. */
  stats(): Promise<TaskStats>;
  /** Kills what is left, removes cgroup, monitor, bundle and runtime state. Harmless when repeated. */
  remove(): Promise<void>;
}

/** A process started by {@link Task.exec}; made but not yet running until `start`. */
export interface ExecTask extends MonitoredProcess {
  /** What {@link ExecOptions} carried for the caller. */
  readonly note: string | undefined;
  start(): Promise<void>;
  /** Ends it, if it runs, and removes its files, as its end does by itself. Harmless when repeated. */
  discard(): Promise<void>;
}

/** Makes and finds tasks. */
export interface Runtime {
  /** Names of the OCI runtimes found on this host, first the default. */
  readonly runtimes: readonly { name: string; path: string; version: string }[];
  /**
   * Creates the container up to the point before its process runs. On failure nothing stays behind. Throws `invalid`
   * with the runtime's reason.
   */
  create(options: TaskOptions): Promise<Task>;
  /**
   * Takes over what an earlier daemon started: running tasks, and tasks that ended meanwhile (their `exit` is resolved).
   * Undefined when the runtime knows nothing of `id`.
   */
  adopt(id: string): Promise<Task | undefined>;
  /** Ids with any state on disk, for finding leftovers. */
  list(): Promise<string[]>;
  /** Something may be started in a moment: begins what it would have to wait for. Costs next to nothing. */
  warmUp(): void;
  /**
   * Runs to the end without a monitor (build steps): `output` gets what it prints. Resolves with the exit code.
   * Aborting kills it. Nothing stays behind. All that is written of the container meanwhile, its environment too, lies
   * below `execRoot`, an existing directory; default: the runtime's own exec root.
   */
  runOnce(options: {
    id: string;
    spec: RuntimeSpec;
    output: (chunk: OutputChunk) => void;
    stdin?: Duplex;
    signal?: AbortSignal;
    execRoot?: string;
  }): Promise<number>;
}

/** Cgroup counters, the same shape for v1 and v2. */
export interface TaskStats {
  /** ms since the epoch. */
  readonly readAt: number;
  readonly cpu: {
    readonly totalNs: number;
    readonly userNs: number;
    readonly kernelNs: number;
    readonly perCpuNs: readonly number[];
    /** The whole machine's CPU time. */
    readonly systemNs: number;
    readonly online: number;
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
  readonly memory: {
    readonly usage: number;
    readonly maxUsage: number;
    readonly limit: number;
    readonly failures: number;
    readonly stats: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit: number };
  readonly blockIo: readonly {
    readonly major: number;
    readonly minor: number;
    readonly op: string;
    readonly bytes: number;
    readonly operations: number;
  }[];
}

/** One line of a container's log. `text` has no newline; `partial` lines continue in the next one. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds, as the monitor wrote it. */
  readonly time: string;
  readonly text: Buffer;
  readonly partial: boolean;
}

/** Which part of a log to read. */
export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Only lines at or after, and before; ns since the epoch. */
  readonly since?: bigint;
  readonly until?: bigint;
  /** Only the last so many lines. */
  readonly tail?: number;
  /** Go on with new lines until `signal` aborts or `ended` resolves and the file is drained. */
  readonly follow?: { readonly ended: Promise<unknown> };
  readonly signal?: AbortSignal;
}
