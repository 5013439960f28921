import { errnoOf } from '#base';
import type { Database, SqlValue } from '#metadata';
import { createRecords } from '../records/create-records.ts';
import type { RegistryRecords } from '../records/records.ts';
import type { SqlDatabase } from '../records/sql-database.ts';
import type { SqlAnswer, SqlParameter, SqlStatement, SqlSteps } from '../records/sql-steps.ts';

/** The records in SQLite tables (`registryMigrations`) of this process. */
export function createSqliteRecords(database: Database): RegistryRecords {
  return createRecords(new SqliteRecordsDatabase(database));
}

/**
 * Runs steps within one turn of the event loop, so that nothing comes between two statements: one connection carries all
 * transactions, and none overlaps another.
 */
class SqliteRecordsDatabase implements SqlDatabase {
  readonly dialect = {
    lockRows: '',
    lockName: undefined,
    list: (place: string) => `json_each(${place}) AS list`,
    sharedDocuments: true,
  };
  readonly #database: Database;
  /** Statements by their text with `$1`, which SQLite would number by its first place instead of by its name. */
  readonly #texts = new Map<string, string>();

  constructor(database: Database) {
    this.#database = database;
  }

  async execute<T>(steps: SqlSteps<T>): Promise<T> {
    return this.#perform(steps);
  }

  async transaction<T>(steps: () => SqlSteps<T>): Promise<T> {
    return this.#database.transaction(() => this.#perform(steps()));
  }

  isForeignKeyError(error: unknown): boolean {
    return errnoOf(error) === 'SQLITE_CONSTRAINT_FOREIGNKEY';
  }

  #perform<T>(steps: SqlSteps<T>): T {
    let step = steps.next();
    while (step.done !== true) step = steps.next(this.#answer(step.value));
    return step.value;
  }

  #answer({ sql, values, wants }: SqlStatement): SqlAnswer {
    const text = this.#text(sql);
    const parameters = values.map(sqliteValue);
    if (wants === 'rows') return { rows: this.#database.all(text, ...parameters), changes: 0 };
    return { rows: [], changes: this.#database.run(text, ...parameters).changes };
  }

  #text(sql: string): string {
    let text = this.#texts.get(sql);
    if (text === undefined) {
      text = sql.replace(/\$(?=\d)/g, '?');
      this.#texts.set(sql, text);
    }
    return text;
  }
}

function sqliteValue(value: SqlParameter): SqlValue {
  return value === null || typeof value !== 'object' || value instanceof Uint8Array ? value : JSON.stringify(value);
}
