import type { ClientConfig, Pool, PoolClient, QueryResultRow } from 'pg';
import { type Logger, messageOf, unavailable } from '#base';
import { postgresSchema } from './schema.ts';

/** Runs statements; parameters are `$1`, `$2` and so on. */
export interface PostgresSession {
  all<Row extends QueryResultRow>(sql: string, ...values: readonly unknown[]): Promise<Row[]>;
  get<Row extends QueryResultRow>(sql: string, ...values: readonly unknown[]): Promise<Row | undefined>;
  /** Rows changed. */
  run(sql: string, ...values: readonly unknown[]): Promise<number>;
}

/** Connections that requests share. */
const connections = 10;
/** A transaction that the server gave up for others' sake is run so many times. */
const attempts = 5;
/** Of `int8`, which the driver gives as text: our numbers are bytes, ms and row ids, all below 2^53. */
const int8 = 20;

type Driver = Pick<typeof import('pg'), 'Client' | 'Pool'>;

/** Settings of a connection: the address, and `int8` as numbers. Loads the driver, which who keeps records in SQLite never needs. */
export async function postgresClientSettings(url: string): Promise<{ pg: Driver; settings: ClientConfig }> {
  const { default: pg } = await import('pg');
  const types = {
    getTypeParser(oid: number, format?: 'text' | 'binary') {
      return oid === int8 ? Number : pg.types.getTypeParser(oid, format === 'binary' ? 'text' : format);
    },
  };
  return { pg, settings: { connectionString: url, types, application_name: 'berth-registry' } };
}

/** A PostgreSQL database (14 or newer) that several servers may use at the same time. */
export class PostgresDatabase implements PostgresSession {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Connects and makes the tables if missing. Throws `unavailable` where the server cannot be reached. */
  static async open(url: string, logger: Logger): Promise<PostgresDatabase> {
    const { pg, settings } = await postgresClientSettings(url);
    const pool = new pg.Pool({ ...settings, max: connections, connectionTimeoutMillis: 10_000 });
    pool.on('error', (error) => logger.warn('a connection to PostgreSQL broke', { error: messageOf(error) }));
    const database = new PostgresDatabase(pool);
    try {
      // One server at a time, where several start together.
      await database.transaction(async (session) => {
        await session.run(`SELECT pg_advisory_xact_lock(hashtextextended('berth-registry-schema', 0))`);
        await session.run(postgresSchema);
      });
    } catch (error) {
      await pool.end();
      throw unavailable(`PostgreSQL records cannot be opened: ${messageOf(error)}; check records.postgres`, {
        cause: error,
      });
    }
    return database;
  }

  async all<Row extends QueryResultRow>(sql: string, ...values: readonly unknown[]): Promise<Row[]> {
    return (await this.#pool.query<Row>(sql, [...values])).rows;
  }

  async get<Row extends QueryResultRow>(sql: string, ...values: readonly unknown[]): Promise<Row | undefined> {
    return (await this.#pool.query<Row>(sql, [...values])).rows[0];
  }

  async run(sql: string, ...values: readonly unknown[]): Promise<number> {
    return (await this.#pool.query(sql, [...values])).rowCount ?? 0;
  }

  /**
   * Runs `task` in a transaction (READ COMMITTED: every statement sees what was committed before it). Undone when it
   * throws; run again where PostgreSQL ended it for a deadlock, so it must only touch the session.
   */
  async transaction<T>(task: (session: PostgresSession) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(task);
      } catch (error) {
        const again = ['40001', '40P01'].includes(postgresCode(error) ?? '');
        if (!again || attempt === attempts) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #once<T>(task: (session: PostgresSession) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken = false;
    try {
      await client.query('BEGIN');
      const result = await task(sessionOf(client));
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }
}

/** The SQLSTATE of an error (PostgreSQL manual, appendix A), undefined for errors from elsewhere. */
export function postgresCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** True where a row could not go or come because of a foreign key. */
export function isForeignKeyError(error: unknown): boolean {
  return postgresCode(error) === '23503';
}

function sessionOf(client: PoolClient): PostgresSession {
  return {
    async all<Row extends QueryResultRow>(sql: string, ...values: readonly unknown[]) {
      return (await client.query<Row>(sql, [...values])).rows;
    },
    async get<Row extends QueryResultRow>(sql: string, ...values: readonly unknown[]) {
      return (await client.query<Row>(sql, [...values])).rows[0];
    },
    async run(sql, ...values) {
      // Without parameters the simple protocol, which takes several statements.
      const result = values.length === 0 ? await client.query(sql) : await client.query(sql, [...values]);
      return result.rowCount ?? 0;
    },
  };
}
