import type { SqlSteps } from './sql-steps.ts';

/** In what the statements of the records differ between databases; the rest is SQL that all of them read alike. */
export interface SqlDialect {
  /** Ends a SELECT whose rows nobody else may change or lock before the transaction ends; empty where none overlap. */
  readonly lockRows: string;
  /** A statement that takes the lock named `$1` until the transaction ends, once it is free; undefined where none overlap. */
  readonly lockName: string | undefined;
  /** A table `list` with one column `value`: the texts of the parameter at `place`, such as `$1`. */
  list(place: string): string;
  /**
   * True where the bytes of manifests are in `registry_documents`, once for all repositories; else each manifest has a last
   * column `bytes`, so that writes to different repositories never meet.
   */
  readonly sharedDocuments: boolean;
}

/** A database with the registry's tables. */
export interface SqlDatabase {
  readonly dialect: SqlDialect;
  /** Runs steps of which each statement is a transaction. */
  execute<T>(steps: SqlSteps<T>): Promise<T>;
  /**
   * Runs what `steps` returns in one transaction, in which every statement sees what was committed before it; undone when
   * it throws. `steps` may be called again, so it must do nothing but yield statements.
   */
  transaction<T>(steps: () => SqlSteps<T>): Promise<T>;
  /** True for an error by which a row could not go or come because of a foreign key. */
  isForeignKeyError(error: unknown): boolean;
}
