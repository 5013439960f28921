import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '#base';
import type { ProcessIdentity } from '#host';

/** Paths of one monitored process, all in a directory of its own. conmon fixes the names `attach` and `ctl`. */
export class ProcessFiles {
  readonly directory: string;
  /** conmon names the exit file after the container, for execs too. */
  readonly #containerId: string;

  constructor(directory: string, containerId: string) {
    this.directory = directory;
    this.#containerId = containerId;
  }

  get config(): string {
    return join(this.directory, 'config.json');
  }
  /** `process` document of an exec. */
  get process(): string {
    return join(this.directory, 'process.json');
  }
  get pid(): string {
    return join(this.directory, 'pid');
  }
  get monitorPid(): string {
    return join(this.directory, 'monitor.pid');
  }
  get attach(): string {
    return join(this.directory, 'attach');
  }
  get control(): string {
    return join(this.directory, 'ctl');
  }
  get exitDirectory(): string {
    return join(this.directory, 'exit');
  }
  get exit(): string {
    return join(this.exitDirectory, this.#containerId);
  }
  /** Made by conmon in its working directory when the kernel reports an out-of-memory kill. */
  get outOfMemory(): string {
    return join(this.directory, 'oom');
  }
  get record(): string {
    return join(this.directory, 'record.json');
  }
  /** Directory of the task's execs. */
  get execs(): string {
    return join(this.directory, 'execs');
  }
  exec(id: string): ProcessFiles {
    return new ProcessFiles(join(this.execs, id), this.#containerId);
  }
}

/** What a later daemon must know of a process; `alive` is missing until the monitor has reported the pid. */
export interface ProcessRecord {
  readonly runtime: string;
  readonly cgroupPath: string;
  readonly terminal: boolean;
  readonly stdinOnce: boolean;
  /** An exec without conmon: `alive.monitor` is the OCI runtime, which waits for the process. */
  readonly piped?: boolean;
  /** Of an exec: what its caller wants to know again later. */
  readonly note?: string;
  readonly log?: { readonly path: string; readonly rotation?: { maxBytes: number; maxFiles: number } };
  /** Pids are only comparable within one boot. */
  readonly alive?: { readonly boot: string; readonly process: ProcessIdentity; readonly monitor: ProcessIdentity };
}

/**
 * Writes the record so that a reader sees the old or the new one, never half of it. At once, as all small files of the
 * exec root: into the page cache that takes 0.05 ms, where every asynchronous call takes two changes of thread.
 */
export function writeRecord(files: ProcessFiles, record: ProcessRecord): void {
  const fresh = `${files.record}.new`;
  writeFileSync(fresh, JSON.stringify(record), { mode: 0o600 });
  renameSync(fresh, files.record);
}

/** The record, or undefined where there is none that can be read. */
export async function readRecord(files: ProcessFiles): Promise<ProcessRecord | undefined> {
  try {
    return JSON.parse(await readFile(files.record, 'utf8')) as ProcessRecord;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

let boot: string | undefined;

/** The id of this boot of the machine (proc(5), random/boot_id). */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}
