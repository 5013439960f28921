import type { ClientConfig, Pool, PoolClient } from 'pg';
import { type Logger, messageOf, unavailable } from '#base';
import type { SqlDatabase } from '../records/sql-database.ts';
import { run, type SqlSteps } from '../records/sql-steps.ts';
import { postgresSchema } from './schema.ts';

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
export class PostgresDatabase implements SqlDatabase {
  readonly dialect = {
    lockRows: ' FOR UPDATE',
    lockName: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
    list: (place: string) => `unnest(${place}::text[]) AS list (value)`,
    sharedDocuments: false,
  };
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
      await database.transaction(function* () {
        yield* run(database.dialect.lockName, 'berth-registry-schema');
        yield* run(postgresSchema);
      });
    } catch (error) {
      await pool.end();
      throw unavailable(`PostgreSQL records cannot be opened: ${messageOf(error)}; check records.postgres`, {
        cause: error,
      });
    }
    return database;
  }

  async execute<T>(steps: SqlSteps<T>): Promise<T> {
    return perform(this.#pool, steps);
  }

  /** In READ COMMITTED; run again where PostgreSQL ended it for a deadlock. */
  async transaction<T>(steps: () => SqlSteps<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(steps());
      } catch (error) {
        const again = ['40001', '40P01'].includes(postgresCode(error) ?? '');
        if (!again || attempt === attempts) throw error;
      }
    }
  }

  isForeignKeyError(error: unknown): boolean {
    return postgresCode(error) === '23503';
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #once<T>(steps: SqlSteps<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken = false;
    try {
      await client.query('BEGIN');
      const result = await perform(client, steps);
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
function postgresCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

async function perform<T>(connection: Pool | PoolClient, steps: SqlSteps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    const { sql, values } = step.value;
    // Without parameters the simple protocol, which takes several statements.
    const result = values.length === 0 ? await connection.query(sql) : await connection.query(sql, [...values]);
    step = steps.next({ rows: result.rows, changes: result.rowCount ?? 0 });
  }
  return step.value;
}
