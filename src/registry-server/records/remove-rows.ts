import type { SqlDialect } from './sql-database.ts';
import { all, run, type SqlSteps } from './sql-steps.ts';

/** The key of a manifest or link. */
export interface RowKey {
  readonly repository: number;
  readonly digest: string;
}

/** Which rows go. */
export interface Doom {
  readonly table: 'registry_manifests' | 'registry_links';
  /** On the row `x`; `$1` is `before`. */
  readonly condition: string;
  /** Ms since the epoch. */
  readonly before: number;
}

/**
 * Deletes those rows for which the condition still holds while nobody else writes to their repositories: a push may have
 * come since they were looked at. Returns how many went.
 */
export function* removeRows(dialect: SqlDialect, rows: readonly RowKey[], doom: Doom): SqlSteps<number> {
  const byRepository = new Map<number, string[]>();
  for (const { repository, digest } of rows) {
    const digests = byRepository.get(repository);
    if (digests === undefined) byRepository.set(repository, [digest]);
    else digests.push(digest);
  }
  yield* lockRepositories(dialect, [...byRepository.keys()]);
  let removed = 0;
  for (const [repository, digests] of byRepository) {
    removed += yield* run(
      `DELETE FROM ${doom.table} AS x
        WHERE x.repository = $2 AND x.digest IN (SELECT value FROM ${dialect.list('$3')}) AND ${doom.condition}`,
      doom.before,
      repository,
      digests,
    );
  }
  return removed;
}

/** Locks rows of repositories to the end of the transaction, in the order that keeps two who do so from a deadlock. */
export function* lockRepositories(dialect: SqlDialect, ids: readonly number[]): SqlSteps<void> {
  if (dialect.lockRows === '') return;
  yield* all(
    `SELECT id FROM registry_repositories WHERE id IN (SELECT CAST(value AS BIGINT) FROM ${dialect.list('$1')})
      ORDER BY id${dialect.lockRows}`,
    ids.map(String),
  );
}
