import { currentActor } from '#base';
import type { Database } from '#metadata';
import { matchesEvent } from './event-filter.ts';
import { EventTail } from './event-tail.ts';
import type { EngineEvent, EventJournal, EventPublisher, EventType } from './events.ts';

/** What the journal is made from. */
export interface JournalOptions {
  readonly database: Database;
  /** Events kept on disk; older ones are dropped. Default 10,000. */
  readonly keep?: number;
  /** File for events that are not in the database yet, so that none is lost when this process is killed. */
  readonly tail?: string;
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
  return new SqliteJournal(options);
}

class SqliteJournal implements Journal {
  readonly #database: Database;
  readonly #keep: number;
  readonly #readers = new Set<LiveReader>();
  readonly #tail: EventTail | undefined;
  #pending: EngineEvent[] = [];
  /** How many of the pending ones are in the tail. */
  #safe = 0;
  #tailDue = false;
  #last: bigint;
  #timer: NodeJS.Timeout | undefined;
  #written = 0;

  constructor({ database, keep = 10_000, tail }: JournalOptions) {
    this.#database = database;
    this.#keep = keep;
    this.#tail = tail === undefined ? undefined : new EventTail(tail);
    this.#pending = this.#tail?.read() ?? [];
    this.#safe = this.#pending.length;
    const row = database.get<{ last: string | null }>('SELECT CAST(MAX(time_ns) AS TEXT) AS last FROM engine_events');
    this.#last = this.#pending.reduce(
      (last, { timeNano }) => (timeNano > last ? timeNano : last),
      BigInt(row?.last ?? 0),
    );
    if (this.#pending.length > 0) this.#timer = this.#flushLater(0);
  }

  get listeners(): number {
    return this.#readers.size;
  }

  publish(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.#announce({ type, action, id, attributes, timeNano: this.#next(this.#now()), actor: currentActor() });
  }

  at(time: number): EventPublisher {
    const then = BigInt(Math.round(time)) * 1_000_000n;
    return {
      publish: (type, action, id, attributes = {}) =>
        this.#announce({ type, action, id, attributes, timeNano: this.#next(then), actor: currentActor() }),
    };
  }

  #announce(event: EngineEvent): void {
    this.#pending.push(event);
    if (!this.#tailDue && this.#tail !== undefined) {
      this.#tailDue = true;
      // After this turn, for most are written with a change of state in it, and those must not be known without it;
      // before any reader gets them, whose own turn was asked for later.
      queueMicrotask(() => this.#secure());
    }
    this.#timer ??= this.#flushLater(patience);
    for (const reader of this.#readers) reader.push(event);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#pending;
    if (events.length === 0) return;
    this.#pending = [];
    const safe = this.#safe;
    this.#safe = 0;
    try {
      this.#database.transaction(() => {
        for (const event of events) this.#insert(event);
        this.#written += events.length;
        if (this.#written >= this.#keep / 10) this.#trim();
      });
      if (safe > 0) this.#emptyTail();
    } catch (error) {
      // No more than the journal keeps anyway.
      this.#pending = [...events, ...this.#pending].slice(-this.#keep);
      this.#safe = Math.min(safe, this.#pending.length);
      this.#timer ??= this.#flushLater(retryAfter);
      throw error;
    }
  }

  /** Writes what waits for the database to the tail. */
  #secure(): void {
    this.#tailDue = false;
    const fresh = this.#pending.slice(this.#safe);
    if (fresh.length === 0 || !this.#tail?.append(fresh)) return;
    this.#safe = this.#pending.length;
  }

  /** Not before the turn is over: until then a larger transaction may be open that has the events. */
  #emptyTail(): void {
    setImmediate(() => {
      if (this.#safe === 0) this.#tail?.clear();
    });
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
    this.#tail?.close();
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
      'INSERT OR IGNORE INTO engine_events VALUES (?, ?, ?, ?, ?, ?)',
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

  /** The clock of the machine, ns since the epoch. */
  #now(): bigint {
    return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;
  }

  /** `time`, but never the same twice and never backwards. */
  #next(time: bigint): bigint {
    this.#last = time > this.#last ? time : this.#last + 1n;
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
