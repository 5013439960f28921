import { currentActor } from '#base';
import type { Database } from '#metadata';
import { matchesEvent } from './event-filter.ts';
import type { EngineEvent, EventJournal, EventType } from './events.ts';

/** What the journal is made from. */
export interface JournalOptions {
  readonly database: Database;
  /** Events kept on disk; older ones are dropped. Default 10,000. */
  readonly keep?: number;
}

/** The engine's own view of the journal: also when it reaches the disk. */
export interface Journal extends EventJournal {
  /** Writes what was published since the last flush. Call inside a transaction to share its commit. */
  flush(): void;
  /** Readers that wait for live events now. */
  readonly listeners: number;
  /** Flushes and ends all live readers. */
  close(): void;
}

interface EventRow {
  readonly time: string;
  readonly type: EventType;
  readonly action: string;
  readonly object: string;
  readonly attributes: string;
  readonly actor: string;
}

/**
 * Events wait at most so long (ms) for a transaction that takes them along. A run publishes some of its own between two
 * changes of state; a durable commit for them alone would hold it up.
 */
const patience = 100;
/** ms until events that could not be written (a full disk) are tried again. */
const retryAfter = 1000;

/** Opens the journal in `database`. */
export function createJournal(options: JournalOptions): Journal {
  return new SqliteJournal(options.database, options.keep ?? 10_000);
}

class SqliteJournal implements Journal {
  readonly #database: Database;
  readonly #keep: number;
  readonly #readers = new Set<LiveReader>();
  #pending: EngineEvent[] = [];
  #last: bigint;
  #timer: NodeJS.Timeout | undefined;
  #written = 0;

  constructor(database: Database, keep: number) {
    this.#database = database;
    this.#keep = keep;
    const row = database.get<{ last: string | null }>('SELECT CAST(MAX(time_ns) AS TEXT) AS last FROM engine_events');
    this.#last = BigInt(row?.last ?? 0);
  }

  get listeners(): number {
    return this.#readers.size;
  }

  publish(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const event = { type, action, id, attributes, timeNano: this.#now(), actor: currentActor() };
    this.#pending.push(event);
    this.#timer ??= this.#flushLater(patience);
    for (const reader of this.#readers) reader.push(event);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#pending;
    if (events.length === 0) return;
    this.#pending = [];
    try {
      this.#database.transaction(() => {
        for (const event of events) this.#insert(event);
        this.#written += events.length;
        if (this.#written >= this.#keep / 10) this.#trim();
      });
    } catch (error) {
      // No more than the journal keeps anyway.
      this.#pending = [...events, ...this.#pending].slice(-this.#keep);
      this.#timer ??= this.#flushLater(retryAfter);
      throw error;
    }
  }

  #flushLater(delay: number): NodeJS.Timeout {
    const flush = () => {
      try {
        this.flush();
      } catch {
        // Kept for the next try; who changes state meanwhile is told of the full disk.
      }
    };
    return setTimeout(flush, delay).unref();
  }

  async *read(query: Parameters<EventJournal['read']>[0]): AsyncIterable<EngineEvent> {
    // Registered before the past is read, so that nothing falls between; times tell what was seen already.
    const reader = new LiveReader(query.signal);
    this.#readers.add(reader);
    try {
      let seen = 0n;
      if (query.since !== undefined) {
        for (const event of this.#past(query.since, query.until)) {
          seen = event.timeNano;
          if (matchesEvent(event, query.filters)) yield event;
        }
      }
      if (query.until !== undefined) reader.endAt(query.until);
      for await (const event of reader) {
        if (event.timeNano <= seen || (query.until !== undefined && event.timeNano > query.until)) continue;
        if (matchesEvent(event, query.filters)) yield event;
      }
    } finally {
      reader.end();
      this.#readers.delete(reader);
    }
  }

  close(): void {
    this.flush();
    for (const reader of this.#readers) reader.end();
  }

  #past(since: bigint, until: bigint | undefined): EngineEvent[] {
    this.flush();
    const rows = this.#database.all<EventRow>(
      `SELECT CAST(time_ns AS TEXT) AS time, type, action, object, attributes, actor FROM engine_events
       WHERE time_ns >= ? AND time_ns <= ? ORDER BY time_ns`,
      since,
      until ?? 2n ** 63n - 1n,
    );
    return rows.map((row) => ({
      type: row.type,
      action: row.action,
      id: row.object,
      attributes: JSON.parse(row.attributes),
      timeNano: BigInt(row.time),
      actor: JSON.parse(row.actor),
    }));
  }

  #insert(event: EngineEvent): void {
    this.#database.run(
      'INSERT INTO engine_events VALUES (?, ?, ?, ?, ?, ?)',
      event.timeNano,
      event.type,
      event.action,
      event.id,
      JSON.stringify(event.attributes),
      JSON.stringify(event.actor),
    );
  }

  #trim(): void {
    this.#written = 0;
    this.#database.run(
      'DELETE FROM engine_events WHERE time_ns <= (SELECT time_ns FROM engine_events ORDER BY time_ns DESC LIMIT 1 OFFSET ?)',
      this.#keep,
    );
  }

  /** The clock of the machine, but never the same twice and never backwards. */
  #now(): bigint {
    const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }
}

/** Hands live events to one consumer, in order. */
class LiveReader implements AsyncIterable<EngineEvent> {
  #queue: EngineEvent[] = [];
  #ended = false;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.end();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    if (signal.aborted) this.end();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  push(event: EngineEvent): void {
    if (this.#ended) return;
    this.#queue.push(event);
    this.#wake?.();
  }

  /** Ends at `until` (ns since the epoch); at once when that has passed. */
  endAt(until: bigint): void {
    const wait = Number(until / 1_000_000n) - Date.now();
    // setTimeout counts in 31 bits; a later end is as good as none.
    if (wait <= 0) this.end();
    else if (wait < 2 ** 31) this.#timer = setTimeout(() => this.end(), wait);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent, void, undefined> {
    for (;;) {
      const events = this.#queue;
      this.#queue = [];
      yield* events;
      if (this.#queue.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
