/** A value of a statement. A list of texts is for {@link SqlDialect.list} only. */
export type SqlParameter = string | number | Uint8Array | null | readonly string[];

/** One statement; its parameters are `$1`, `$2` and so on. */
export interface SqlStatement {
  readonly sql: string;
  readonly values: readonly SqlParameter[];
  /** What is asked for: the rows that it gives, or how many it changed. */
  readonly wants: 'rows' | 'changes';
}

/** What a statement gave, of which only what it was asked for counts. */
export interface SqlAnswer {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

/**
 * Work on a database as a generator that yields statements and gets their answers. Whoever runs it chooses how: SQLite
 * answers within one turn of the event loop, PostgreSQL over a connection. A statement that fails ends the work.
 */
export type SqlSteps<T> = Generator<SqlStatement, T, SqlAnswer>;

/** All rows of a statement. Truth values may be numbers: ask for a CASE. Sums and counts have to be cast to BIGINT. */
export function* all<Row>(sql: string, ...values: readonly SqlParameter[]): SqlSteps<Row[]> {
  const { rows } = yield { sql, values, wants: 'rows' };
  return rows as Row[];
}

/** The first row of a statement, undefined where it gives none. */
export function* get<Row>(sql: string, ...values: readonly SqlParameter[]): SqlSteps<Row | undefined> {
  return (yield* all<Row>(sql, ...values))[0];
}

/** Runs a statement; how many rows it changed, not counting those that triggers and cascades did. */
export function* run(sql: string, ...values: readonly SqlParameter[]): SqlSteps<number> {
  return (yield { sql, values, wants: 'changes' }).changes;
}
