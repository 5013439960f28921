import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { EngineEvent } from './events.ts';

/**
 * A file with the events that wait for the database, a JSON line each. It outlives a killed process, not a power cut:
 * nothing is synced. A line that was cut short is none.
 */
export class EventTail {
  readonly #path: string;
  readonly #file: number;
  #open = true;

  /** Opens the file at `path`, made when missing (0600). */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a', 0o600);
  }

  /** What an earlier process left, in order. */
  read(): EngineEvent[] {
    return readFileSync(this.#path, 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          const event = JSON.parse(line) as Omit<EngineEvent, 'timeNano'> & { timeNano: string };
          return [{ ...event, timeNano: BigInt(event.timeNano) }];
        } catch {
          return [];
        }
      });
  }

  /** False when they could not be written (a full disk); the database is tried again anyway. */
  append(events: readonly EngineEvent[]): boolean {
    if (!this.#open) return false;
    // Each line starts with a line end of its own: what was cut short before it spoils nothing.
    const text = events.map((event) => `\n${JSON.stringify({ ...event, timeNano: String(event.timeNano) })}`).join('');
    try {
      writeSync(this.#file, text);
      return true;
    } catch {
      return false;
    }
  }

  /** All of them are in the database. */
  clear(): void {
    if (this.#open) ftruncateSync(this.#file);
  }

  /** Empties and closes it. */
  close(): void {
    if (!this.#open) return;
    this.clear();
    this.#open = false;
    closeSync(this.#file);
  }
}
