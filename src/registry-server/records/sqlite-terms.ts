import type { Database } from '#metadata';
import { quotaExceeded, usageRange } from './quota.ts';
import type { RegistryEvent, WriteTerms } from './records.ts';

/** The id of a repository's row, undefined where there is none. */
export function repositoryId(database: Database, name: string): number | undefined {
  return database.get<{ id: number }>('SELECT id FROM registry_repositories WHERE name = ?', name)?.id;
}

/** The id of a repository's row, made if missing. */
export function ensureRepository(database: Database, name: string): number {
  const found = repositoryId(database, name);
  if (found !== undefined) return found;
  database.run('INSERT INTO registry_repositories (name) VALUES (?)', name);
  return ensureRepository(database, name);
}

/** Bytes linked below a prefix. */
export function usageBelow(database: Database, prefix: string): number {
  const row = database.get<{ bytes: number }>(
    'SELECT COALESCE(SUM(bytes), 0) AS bytes FROM registry_repositories WHERE name >= ? AND name < ?',
    ...usageRange(prefix),
  );
  return row?.bytes ?? 0;
}

/** Ends a write inside its transaction: throws DENIED where a quota is passed, and keeps the event. */
export function settle(database: Database, terms: WriteTerms): void {
  for (const quota of terms.quotas) {
    const used = usageBelow(database, quota.prefix);
    if (used > quota.bytes) throw quotaExceeded(quota, used);
  }
  addEvent(database, terms.event);
}

/** Keeps an event for delivery; nothing for undefined. */
export function addEvent(database: Database, event: RegistryEvent | undefined): void {
  if (event !== undefined) database.run('INSERT INTO registry_events (body) VALUES (?)', JSON.stringify(event));
}
