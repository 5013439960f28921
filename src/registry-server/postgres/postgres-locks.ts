import type { Client } from 'pg';
import { type Logger, messageOf } from '#base';
import { LocalLocks, type Locks, lockTaken } from '../locks.ts';
import { postgresClientSettings } from './postgres-database.ts';

const channel = 'berth_registry_unlocked';
/** Who waits tries again after so many ms without a word: a server that died unlocks without telling. */
const patience = 1000;

/**
 * Locks that all servers on one database share: advisory locks of a session (PostgreSQL manual, 13.3.5), told of by
 * NOTIFY when they become free. One connection carries all locks of a server, so tasks may nest without using
 * connections up. When it breaks its locks are free; what a task then does beside another is repaired by the checks of
 * `Blobs` at the next push.
 */
export class PostgresLocks implements Locks {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #local = new LocalLocks();
  readonly #waiters = new Map<string, () => void>();
  #client: Promise<Client> | undefined;
  /** The connection answers one question at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(url: string, logger: Logger) {
    this.#url = url;
    this.#logger = logger;
  }

  async run<T>(key: string, task: () => Promise<T>, options: { readonly wait?: boolean } = {}): Promise<T> {
    // In this process one at a time asks for a key: a session could lock the same key twice.
    return this.#local.run(
      key,
      async () => {
        const client = await this.#lock(key, options.wait ?? true);
        try {
          return await task();
        } finally {
          await this.#unlock(client, key);
        }
      },
      options,
    );
  }

  /** Ends the connection, and so all locks. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end();
  }

  async #lock(key: string, wait: boolean): Promise<Client> {
    for (;;) {
      const freed = this.#nextRelease(key);
      try {
        const client = await this.#connected();
        const row = await this.#ask(client, 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', [
          `berth-registry-${key}`,
        ]);
        if (row?.locked === true) return client;
        if (!wait) throw lockTaken(key);
        await freed.promise;
      } finally {
        freed.cancel();
      }
    }
  }

  async #unlock(client: Client, key: string): Promise<void> {
    const sql = 'SELECT pg_advisory_unlock(hashtextextended($1, 0)), pg_notify($2, $3)';
    await this.#ask(client, sql, [`berth-registry-${key}`, channel, key]).catch((error: unknown) =>
      this.#logger.warn('a lock ended with its connection', { key, error: messageOf(error) }),
    );
  }

  /** The first row of the answer. */
  #ask(client: Client, sql: string, values: readonly string[]): Promise<Record<string, unknown> | undefined> {
    const answer = this.#last.then(async () => (await client.query<Record<string, unknown>>(sql, [...values])).rows[0]);
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  #nextRelease(key: string): { promise: Promise<void>; cancel: () => void } {
    let timer: NodeJS.Timeout | undefined;
    const promise = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience);
      this.#waiters.set(key, resolve);
    });
    return {
      promise,
      cancel: () => {
        clearTimeout(timer);
        this.#waiters.delete(key);
      },
    };
  }

  #connected(): Promise<Client> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<Client> {
    const { pg, settings } = await postgresClientSettings(this.#url);
    const client = new pg.Client({ ...settings, connectionTimeoutMillis: 10_000, keepAlive: true });
    client.on('notification', ({ payload }) => this.#waiters.get(payload ?? '')?.());
    client.on('error', (error) => {
      this.#logger.warn('the connection of the locks broke', { error: messageOf(error) });
    });
    client.on('end', () => {
      this.#client = undefined;
    });
    await client.connect();
    await client.query(`LISTEN ${channel}`);
    return client;
  }
}
