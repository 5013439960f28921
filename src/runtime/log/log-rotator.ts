import { type FSWatcher, statSync, watch } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { type Logger, messageOf } from '#base';
import { rotatedPath } from './log-files.ts';

/** Bounds of the time between two looks at a log's size, ms. */
const [soonest, latest] = [100, 5000];

/** What the rotator must know. */
export interface LogRotatorOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** Files kept, the one being written included. */
  readonly maxFiles: number;
  /** Makes the monitor open the path anew. */
  readonly reopen: () => Promise<void>;
  readonly logger: Logger;
}

/**
 * Keeps one log near its limit. A quiet log costs nothing: the kernel tells of the first write (inotify). While it grows,
 * its size is looked at when, at the rate seen last, half of what is left could be used up.
 */
export class LogRotator {
  readonly #options: LogRotatorOptions;
  #timer: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  #size = 0;
  #at = Date.now();
  #stopped = false;

  constructor(options: LogRotatorOptions) {
    this.#options = options;
    void this.#look();
  }

  /** Ends the looking. Harmless when repeated. */
  stop(): void {
    this.#stopped = true;
    this.#watcher?.close();
    clearTimeout(this.#timer);
  }

  /** Moves the log aside now, dropping the oldest, and makes the monitor start a new one. */
  async rotate(): Promise<void> {
    const { path, maxFiles, reopen } = this.#options;
    if (maxFiles <= 1) await rm(path, { force: true });
    for (let index = maxFiles - 1; index >= 1; index--) {
      await rename(rotatedPath(path, index - 1), rotatedPath(path, index)).catch(() => {}); // not that many yet
    }
    await reopen();
  }

  #schedule(delay: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#look(), delay);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { path, maxBytes, logger } = this.#options;
    try {
      let { size } = await stat(path);
      const now = Date.now();
      const grown = size - this.#size;
      if (size >= maxBytes) {
        await this.rotate();
        size = 0;
      }
      const rate = grown / Math.max(1, now - this.#at);
      this.#size = size;
      this.#at = now;
      if (grown > 0) return this.#schedule(Math.min(latest, Math.max(soonest, (maxBytes - size) / rate / 2)));
      this.#wait();
    } catch (error) {
      logger.debug('log rotation', { path, error: messageOf(error) });
      this.#schedule(latest);
    }
  }

  /** Looks again when something is written; what was written before the watch began counts too. */
  #wait(): void {
    if (this.#stopped) return;
    const { path } = this.#options;
    const wake = () => {
      watcher.close();
      if (this.#watcher !== watcher) return;
      this.#watcher = undefined;
      this.#schedule(soonest);
    };
    const watcher = watch(path, { persistent: false }, wake);
    watcher.on('error', wake);
    this.#watcher = watcher;
    if (statSync(path).size !== this.#size) wake();
  }
}
