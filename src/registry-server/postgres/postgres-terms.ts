import { quotaExceeded, usageRange } from '../records/quota.ts';
import type { RegistryEvent, WriteTerms } from '../records/records.ts';
import type { PostgresSession } from './postgres-database.ts';

/** The id of a repository's row, which stays locked to the end of the transaction; undefined where there is none. */
export async function lockRepository(session: PostgresSession, name: string): Promise<number | undefined> {
  const row = await session.get<{ id: number }>(
    'SELECT id FROM registry_repositories WHERE name = $1 FOR UPDATE',
    name,
  );
  return row?.id;
}

/** The id of a repository's row, made if missing, which stays locked to the end of the transaction. */
export async function ensureRepository(session: PostgresSession, name: string): Promise<number> {
  const row = await session.get<{ id: number }>(
    `INSERT INTO registry_repositories (name) VALUES ($1)
      ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
    name,
  );
  if (row === undefined) throw new Error(`no row for repository ${name}`);
  return row.id;
}

/** Bytes linked below a prefix. */
export async function usageBelow(session: PostgresSession, prefix: string): Promise<number> {
  const row = await session.get<{ bytes: number }>(
    'SELECT COALESCE(SUM(bytes), 0)::int8 AS bytes FROM registry_repositories WHERE name >= $1 AND name < $2',
    ...usageRange(prefix),
  );
  return row?.bytes ?? 0;
}

/** Ends a write inside its transaction: throws DENIED where a quota is passed, and keeps the event. */
export async function settle(session: PostgresSession, terms: WriteTerms): Promise<void> {
  for (const quota of terms.quotas) {
    // Two pushes that do not see each other's bytes would both stay below it.
    await lockUntilCommit(session, `quota:${quota.prefix}`);
    const used = await usageBelow(session, quota.prefix);
    if (used > quota.bytes) throw quotaExceeded(quota, used);
  }
  await addEvent(session, terms.event);
}

/** Keeps an event for delivery; nothing for undefined. */
export async function addEvent(session: PostgresSession, event: RegistryEvent | undefined): Promise<void> {
  if (event === undefined) return;
  // Ids become visible in their order: else a reader would pass over an event that commits after a later one.
  await lockUntilCommit(session, 'events');
  await session.run('INSERT INTO registry_events (body) VALUES ($1)', JSON.stringify(event));
}

async function lockUntilCommit(session: PostgresSession, what: string): Promise<void> {
  await session.run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', `berth-registry-${what}`);
}
