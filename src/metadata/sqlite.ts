import { createRequire } from 'node:module';
import { errnoOf, unavailable } from '#base';
import type { Database, Migration, SqlValue } from './database.ts';

interface SqliteStatement {
  run(...values: SqlValue[]): { changes: number };
  all(...values: SqlValue[]): unknown[];
}
interface SqliteConnection {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): void;
  close(): void;
}

// libsql publishes no types of its own and is CommonJS.
const Sqlite = createRequire(import.meta.url)('libsql') as new (path: string) => SqliteConnection;

/**
 * Opens (or makes) the database at `path` and brings its schema up to date. Pass `:memory:` for tests.
 * Throws `unavailable` when a newer version of Berth wrote a schema that this one does not know.
 */
export function openDatabase(path: string, migrations: readonly Migration[]): Database {
  const connection = new Sqlite(path);
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  connection.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -4096;');
  const database = new SqliteDatabase(connection);
  try {
    migrate(database, connection, migrations, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

class SqliteDatabase implements Database {
  readonly #connection: SqliteConnection;
  readonly #statements = new Map<string, SqliteStatement>();
  #depth = 0;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  run(sql: string, ...values: SqlValue[]): { changes: number } {
    try {
      return { changes: Number(this.#prepare(sql).run(...values).changes) };
    } catch (error) {
      throw explained(error);
    }
  }

  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    // Not statement.get(): libsql adds a `_metadata` property to the row it returns.
    return this.all<Row>(sql, ...values)[0];
  }

  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  transaction<T>(body: () => T): T {
    if (this.#depth > 0) return body();
    this.#connection.exec('BEGIN IMMEDIATE');
    this.#depth++;
    try {
      const result = body();
      this.#connection.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw explained(error);
    } finally {
      this.#depth--;
    }
  }

  #rollBack(): void {
    try {
      this.#connection.exec('ROLLBACK');
    } catch {
      // SQLite has done so itself, as it does on a full disk (lang_transaction.html, "automatic rollback").
    }
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** A full disk is the user's to mend; all else stays as it is. */
function explained(error: unknown): unknown {
  if (errnoOf(error) !== 'SQLITE_FULL') return error;
  return unavailable('the disk of the data root is full: make room and try again', { cause: error });
}

function migrate(database: Database, connection: SqliteConnection, migrations: readonly Migration[], path: string) {
  connection.exec('CREATE TABLE IF NOT EXISTS schema_versions (room TEXT PRIMARY KEY, version INTEGER NOT NULL)');
  const rooms = new Set(migrations.map((migration) => migration.room));
  for (const room of rooms) {
    const steps = migrations.filter((step) => step.room === room).sort((a, b) => a.version - b.version);
    const row = database.get<{ version: number }>('SELECT version FROM schema_versions WHERE room = ?', room);
    const have = row?.version ?? 0;
    const newest = steps.at(-1)?.version ?? 0;
    if (have > newest) {
      throw unavailable(
        `${path}: the ${room} tables have version ${have}, this berthd knows up to ${newest}; start a newer berthd`,
      );
    }
    for (const step of steps.filter((candidate) => candidate.version > have)) {
      database.transaction(() => {
        connection.exec(step.sql);
        database.run(
          'INSERT INTO schema_versions VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET version = excluded.version',
          room,
          step.version,
        );
      });
    }
  }
}
