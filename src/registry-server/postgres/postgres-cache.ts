import { cacheTerms } from '../records/cache-terms.ts';
import type { CacheRecords, CacheUse, RepositoryRange } from '../records/records.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { lockRepository } from './postgres-terms.ts';

const tables = [
  { table: 'registry_manifests', used: 'pushed_at' },
  { table: 'registry_links', used: 'touched_at' },
];

/** What caches know of the use of what they hold, in PostgreSQL. */
export class PostgresCache implements CacheRecords {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async markUsed(uses: readonly CacheUse[]): Promise<void> {
    for (const { repository, digest, at } of uses) {
      await this.#database.transaction(async (session) => {
        const id = await lockRepository(session, repository);
        if (id === undefined) return;
        for (const { table, used } of tables) {
          await session.run(
            `WITH RECURSIVE used (digest) AS (
              SELECT $1::text COLLATE "C" UNION SELECT f.target FROM registry_references f
                JOIN used u ON f.manifest = u.digest WHERE f.repository = $2
            ) UPDATE ${table} SET ${used} = GREATEST(${used}, $3)
              WHERE repository = $2 AND digest IN (SELECT digest FROM used)`,
            digest,
            id,
            at,
          );
        }
      });
    }
  }

  async lastUseBeyond(range: RepositoryRange, bytes: number): Promise<number | undefined> {
    const terms = numberedTerms(range);
    const row = await this.#database.get<{ used: number }>(
      `SELECT used FROM (
        SELECT used, SUM(size) OVER (ORDER BY used DESC, digest)::int8 AS total FROM (
          SELECT l.digest, MAX(l.size) AS size, MAX(l.touched_at) AS used FROM registry_links l
            JOIN registry_repositories r ON r.id = l.repository WHERE ${terms.sql} GROUP BY l.digest
        ) AS blobs
      ) AS totals WHERE total > $${terms.values.length + 1} ORDER BY total LIMIT 1`,
      ...terms.values,
      bytes,
    );
    return row?.used;
  }

  async removeUnused(range: RepositoryRange, before: number, limit: number): Promise<number> {
    const terms = numberedTerms(range);
    const next = terms.values.length + 1;
    let removed = 0;
    for (const { table, used } of tables) {
      const rows = await this.#database.all<{ name: string; digests: string[] }>(
        `SELECT name, array_agg(digest) AS digests FROM (
          SELECT r.name, x.digest FROM ${table} x JOIN registry_repositories r ON r.id = x.repository
            WHERE ${terms.sql} AND x.${used} < $${next} LIMIT $${next + 1}
        ) AS unused GROUP BY name`,
        ...terms.values,
        before,
        limit,
      );
      for (const { name, digests } of rows) {
        // Somebody may have used one of them since: the statement looks again, behind the lock of all writes there.
        removed += await this.#database.transaction(async (session) => {
          const id = await lockRepository(session, name);
          return session.run(
            `DELETE FROM ${table} WHERE repository = $1 AND digest = ANY($2) AND ${used} < $3`,
            id,
            digests,
            before,
          );
        });
      }
    }
    return removed;
  }
}

function numberedTerms(range: RepositoryRange) {
  let parameters = 0;
  return cacheTerms(range, () => {
    parameters += 1;
    return `$${parameters}`;
  });
}
