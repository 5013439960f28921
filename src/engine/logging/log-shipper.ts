import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BerthError, errnoOf, isBerthError, type Logger, messageOf } from '#base';
import type { LogLine } from '#runtime';
import type { ReadLog } from '../containers/inspect/logs.ts';
import type { LiveContainer } from '../containers/live-container.ts';
import type { LogDestination } from './log-destination.ts';
import { isShipped, openDestination } from './open-destination.ts';

/** What the shipper needs. */
export interface LogShipperOptions {
  readonly readLog: ReadLog;
  /** Holds a directory per container. */
  readonly directory: string;
  readonly logger: Logger;
}

/** How often (ms) the place in the log is written down while lines come. */
const noteEvery = 1000;
/** Between attempts to reach a service that is gone, ms. */
const firstPause = 200;
const longestPause = 10_000;
/** How long a removal waits for the last lines, ms. */
const longestDrain = 5000;

/**
 * Sends the output of containers with the drivers `syslog` and `journald` to their services. The log file comes first and
 * is what `logs` reads, so it is the buffer too: nothing is lost while a service or this daemon is away. The place up
 * to which lines were sent is written down every second: a killed daemon sends at most that second's lines twice.
 */
export class LogShipper {
  readonly #options: LogShipperOptions;
  readonly #ready = new Map<string, LogDestination>();
  readonly #running = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(options: LogShipperOptions) {
    this.#options = options;
  }

  /** Connects before the container starts, as a start must fail where its log cannot go. Throws `unavailable`. */
  async prepare(container: LiveContainer): Promise<void> {
    if (!isShipped(container)) return;
    try {
      this.#ready.set(container.id, await openDestination(container));
    } catch (error) {
      const kind = isBerthError(error) ? error.kind : 'internal';
      const text = `failed to create task for container: failed to initialize logging driver: ${messageOf(error)}`;
      throw new BerthError(kind, text, { cause: error });
    }
  }

  /** Begins to send what the process prints, from where the last daemon got to, until `ended` and the log's end. */
  follow(container: LiveContainer, ended: Promise<unknown>): void {
    if (!isShipped(container)) return;
    const ready = this.#ready.get(container.id);
    this.#ready.delete(container.id);
    const running = this.#ship(container, ended, ready)
      .catch((error: unknown) => {
        this.#options.logger.error(`sending the log of container ${container.id}`, { error: messageOf(error) });
      })
      .finally(() => this.#running.delete(container.id));
    this.#running.set(container.id, running);
  }

  /** Resolves when the log of an ended container was sent, or after some seconds: its removal cannot wait for ever. */
  async drained(container: LiveContainer): Promise<void> {
    await Promise.race([this.#running.get(container.id), pause(longestDrain, undefined, { ref: false })]);
  }

  /** Lets go of a container whose start failed. */
  forget(container: LiveContainer): void {
    this.#ready.get(container.id)?.close();
    this.#ready.delete(container.id);
  }

  /** Ends at the next line; the rest is for the next daemon. */
  shutdown(): void {
    this.#stopped = true;
  }

  async #ship(container: LiveContainer, ended: Promise<unknown>, ready: LogDestination | undefined): Promise<void> {
    const place = new Place(join(this.#options.directory, container.id, 'shipped'));
    let destination = ready;
    try {
      const lines = this.#options.readLog(container.settings.paths.log, {
        stdout: true,
        stderr: true,
        ...(place.after === undefined ? {} : { since: place.after + 1n }),
        follow: { ended },
      });
      for await (const batch of lines) {
        for (const line of batch) {
          if (this.#stopped) return;
          destination = await this.#deliver(container, line, destination);
          if (destination === undefined) return;
          place.passed(line.time);
        }
      }
    } finally {
      place.note();
      destination?.close();
    }
  }

  /** Sends one line, to a new connection if need be; undefined when the daemon stops meanwhile. */
  async #deliver(
    container: LiveContainer,
    line: LogLine,
    current: LogDestination | undefined,
  ): Promise<LogDestination | undefined> {
    let destination = current;
    for (let wait = firstPause; !this.#stopped; wait = Math.min(wait * 2, longestPause)) {
      try {
        destination ??= await openDestination(container);
        await destination.send(line);
        return destination;
      } catch (error) {
        destination?.close();
        destination = undefined;
        if (wait === firstPause) {
          this.#options.logger.warn(`the log of container ${container.id} waits`, { error: messageOf(error) });
        }
        await pause(wait, undefined, { ref: false });
      }
    }
    return undefined;
  }
}

/** The time of the last line that was sent, in a file. */
class Place {
  readonly #path: string;
  #last: bigint | undefined;
  #noted: bigint | undefined;
  #notedAt = 0;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#last = BigInt(readFileSync(path, 'utf8'));
      this.#noted = this.#last;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    }
  }

  /** ns since the epoch; undefined when nothing was sent yet. */
  get after(): bigint | undefined {
    return this.#last;
  }

  passed(time: string): void {
    this.#last = nanoseconds(time);
    if (Date.now() - this.#notedAt >= noteEvery) this.note();
  }

  note(): void {
    if (this.#last === undefined || this.#last === this.#noted) return;
    this.#notedAt = Date.now();
    this.#noted = this.#last;
    try {
      writeFileSync(this.#path, String(this.#last));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error; // the container was removed
    }
  }
}

function nanoseconds(time: string): bigint {
  const fraction = (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0').slice(0, 9);
  return BigInt(Math.floor(Date.parse(time.replace(/\.\d+/, '')) / 1000)) * 1_000_000_000n + BigInt(fraction);
}
