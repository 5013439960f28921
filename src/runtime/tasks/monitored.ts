import { constants } from 'node:fs';
import { access, open, readFile, stat } from 'node:fs/promises';
import { conflict, errnoOf, invalid, notFound } from '#base';
import { type ProcessIdentity, processEnd } from '#host';
import type { Attachment, ExitStatus, MonitoredProcess } from '../runtime.ts';
import { openAttachment } from './attachment.ts';
import type { ProcessFiles, ProcessRecord } from './task-files.ts';

/** What the kernel says of a signal's exit code: 128 + SIGKILL. */
const killedCode = 137;

/** What both main processes and execs can do once conmon looks after them. */
export abstract class Monitored implements MonitoredProcess {
  readonly id: string;
  readonly exit: Promise<ExitStatus>;
  protected readonly files: ProcessFiles;
  protected record: ProcessRecord;
  #settle: (status: ExitStatus) => void = () => {};

  constructor(id: string, files: ProcessFiles, record: ProcessRecord) {
    this.id = id;
    this.files = files;
    this.record = record;
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get pid(): number {
    return this.record.alive?.process.pid ?? 0;
  }

  attach(): Promise<Attachment> {
    return openAttachment(this.files.attach, { stdinOnce: this.record.stdinOnce && !this.record.terminal });
  }

  async resize(size: { rows: number; columns: number }): Promise<void> {
    if (!this.record.terminal) throw conflict(`process ${this.id} has no terminal to resize`);
    const { rows, columns } = size;
    if (![rows, columns].every((n) => Number.isInteger(n) && n >= 0 && n <= 65_535)) {
      throw invalid(`invalid terminal size ${rows} x ${columns}`);
    }
    await this.control(`1 ${rows} ${columns}\n`);
  }

  /** Sends one message through conmon's `ctl` fifo (`1 ROWS COLUMNS`, `2 0 0` opens the log anew). */
  protected async control(message: string): Promise<void> {
    try {
      const fifo = await open(this.files.control, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        await fifo.write(message);
      } finally {
        await fifo.close();
      }
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENXIO' || code === 'ENOENT') throw notFound(`process ${this.id} has ended`);
      throw error;
    }
  }

  /**
   * Settles `exit` when conmon ends: it ends after it has written the exit file, the log and all attached output.
   * When it was killed there is no exit file: the process's output is lost, so the process is ended too.
   */
  protected watch(monitor: ProcessIdentity | undefined): void {
    const ended = monitor ? processEnd(monitor) : Promise.resolve();
    void ended
      .then(async () => (await this.#readExit()) ?? (await this.#afterLostMonitor()))
      .catch(() => ({ code: killedCode, at: Date.now(), oomKilled: false }))
      .then((status) => this.#settle(status));
  }

  /** Ends what is left of the process without its monitor; resolves when it is gone. */
  protected abstract killWithoutMonitor(): Promise<void>;

  /** True when the kernel killed something in the container for want of memory. */
  protected abstract outOfMemory(): Promise<boolean>;

  async #readExit(): Promise<ExitStatus | undefined> {
    try {
      const [code, { mtimeMs }] = await Promise.all([readFile(this.files.exit, 'utf8'), stat(this.files.exit)]);
      return { code: Number(code), at: Math.round(mtimeMs), oomKilled: await this.#oomKilled() };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #oomKilled(): Promise<boolean> {
    const marked = await access(this.files.outOfMemory).then(
      () => true,
      () => false,
    );
    return marked || (await this.outOfMemory());
  }

  async #afterLostMonitor(): Promise<ExitStatus> {
    const oomKilled = await this.#oomKilled();
    await this.killWithoutMonitor();
    return { code: killedCode, at: Date.now(), oomKilled };
  }
}
