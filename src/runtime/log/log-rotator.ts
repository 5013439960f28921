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
 * Keeps one log below its limit. It looks at the size when, at the rate of growth seen last, half of what is left
 * could be used up: a quiet log costs a stat every five seconds, a busy one is caught early.
 */
export class LogRotator {
  readonly #options: LogRotatorOptions;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #at = Date.now();
  #stopped = false;

  constructor(options: LogRotatorOptions) {
    this.#options = options;
    this.#schedule(soonest);
  }

  /** Ends the looking. Harmless when repeated. */
  stop(): void {
    this.#stopped = true;
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
    let delay = latest;
    try {
      const { size } = await stat(this.#options.path);
      const now = Date.now();
      const rate = Math.max(0, size - this.#size) / Math.max(1, now - this.#at);
      const left = this.#options.maxBytes - size;
      if (left <= 0) await this.rotate();
      this.#size = left <= 0 ? 0 : size;
      this.#at = now;
      if (rate > 0) delay = Math.min(latest, Math.max(soonest, (left <= 0 ? this.#options.maxBytes : left) / rate / 2));
    } catch (error) {
      this.#options.logger.debug('log rotation', { path: this.#options.path, error: messageOf(error) });
    }
    this.#schedule(delay);
  }
}
