import type { Digest } from '#base';
import type { Database } from '#metadata';
import { cacheTerms } from './cache-terms.ts';
import type { CacheRecords, CacheUse, RepositoryRange } from './records.ts';
import { repositoryId } from './sqlite-terms.ts';

/** What caches know of the use of what they hold, in SQLite. */
export class SqliteCache implements CacheRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async markUsed(uses: readonly CacheUse[]): Promise<void> {
    this.#database.transaction(() => {
      for (const { repository, digest, at } of uses) this.#markUsed(repository, digest, at);
    });
  }

  async lastUseBeyond(range: RepositoryRange, bytes: number): Promise<number | undefined> {
    const terms = cacheTerms(range, () => '?');
    const row = this.#database.get<{ used: number }>(
      `SELECT used FROM (
        SELECT used, SUM(size) OVER (ORDER BY used DESC, digest) AS total FROM (
          SELECT l.digest, MAX(l.size) AS size, MAX(l.touched_at) AS used FROM registry_links l
            JOIN registry_repositories r ON r.id = l.repository WHERE ${terms.sql} GROUP BY l.digest
        )
      ) WHERE total > ? ORDER BY total LIMIT 1`,
      ...terms.values,
      bytes,
    );
    return row?.used;
  }

  async removeUnused(range: RepositoryRange, before: number, limit: number): Promise<number> {
    const terms = cacheTerms(range, () => '?');
    const remove = (table: string, used: string) =>
      this.#database.run(
        `DELETE FROM ${table} WHERE (repository, digest) IN (
          SELECT x.repository, x.digest FROM ${table} x JOIN registry_repositories r ON r.id = x.repository
            WHERE ${terms.sql} AND x.${used} < ? LIMIT ?
        )`,
        ...terms.values,
        before,
        limit,
      ).changes;
    return this.#database.transaction(
      () => remove('registry_manifests', 'pushed_at') + remove('registry_links', 'touched_at'),
    );
  }

  #markUsed(repository: string, digest: Digest, at: number): void {
    const id = repositoryId(this.#database, repository);
    if (id === undefined) return;
    const mark = (table: string, used: string) =>
      this.#database.run(
        `WITH RECURSIVE used (digest) AS (
          SELECT ? UNION SELECT f.target FROM registry_references f JOIN used u ON f.manifest = u.digest
            WHERE f.repository = ?
        ) UPDATE ${table} SET ${used} = MAX(${used}, ?) WHERE repository = ? AND digest IN (SELECT digest FROM used)`,
        digest,
        id,
        at,
        id,
      );
    mark('registry_manifests', 'pushed_at');
    mark('registry_links', 'touched_at');
  }
}
