import { quotaExceeded, usageRange } from './quota.ts';
import type { RegistryEvent, WriteTerms } from './records.ts';
import type { SqlDialect } from './sql-database.ts';
import { get, run, type SqlSteps } from './sql-steps.ts';

/** The id of a repository's row, which stays locked to the end of the transaction; undefined where there is none. */
export function* lockRepository(dialect: SqlDialect, name: string): SqlSteps<number | undefined> {
  const sql = `SELECT id FROM registry_repositories WHERE name = $1${dialect.lockRows}`;
  return (yield* get<{ id: number }>(sql, name))?.id;
}

/** The id of a repository's row, made if missing, which stays locked to the end of the transaction. */
export function* ensureRepository(dialect: SqlDialect, name: string): SqlSteps<number> {
  const found = yield* lockRepository(dialect, name);
  if (found !== undefined) return found;
  // Another server may make it at the same moment.
  const made = yield* get<{ id: number }>(
    `INSERT INTO registry_repositories (name) VALUES ($1)
      ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
    name,
  );
  if (made === undefined) throw new Error(`no row for repository ${name}`);
  return made.id;
}

/** Bytes linked below a prefix. */
export function* usageBelow(prefix: string): SqlSteps<number> {
  const row = yield* get<{ bytes: number }>(
    `SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM registry_repositories WHERE name >= $1 AND name < $2`,
    ...usageRange(prefix),
  );
  return row?.bytes ?? 0;
}

/** Ends a write inside its transaction: throws DENIED where a quota is passed, and keeps the event. */
export function* settle(dialect: SqlDialect, terms: WriteTerms): SqlSteps<void> {
  for (const quota of terms.quotas) {
    // Two pushes that do not see each other's bytes would both stay below it.
    yield* lockName(dialect, `quota:${quota.prefix}`);
    const used = yield* usageBelow(quota.prefix);
    if (used > quota.bytes) throw quotaExceeded(quota, used);
  }
  yield* addEvent(dialect, terms.event);
}

/** Keeps an event for delivery; nothing for undefined. */
export function* addEvent(dialect: SqlDialect, event: RegistryEvent | undefined): SqlSteps<void> {
  if (event === undefined) return;
  // Ids become visible in their order: else a reader would pass over an event that commits after a later one.
  yield* lockName(dialect, 'events');
  yield* run('INSERT INTO registry_events (body) VALUES ($1)', JSON.stringify(event));
}

function* lockName(dialect: SqlDialect, what: string): SqlSteps<void> {
  if (dialect.lockName !== undefined) yield* run(dialect.lockName, `berth-registry-${what}`);
}
