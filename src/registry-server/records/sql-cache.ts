import { cacheTerms } from './cache-terms.ts';
import type { CacheRecords, CacheUse, RepositoryRange } from './records.ts';
import { lockRepositories, type RowKey, removeRows } from './remove-rows.ts';
import type { SqlDatabase } from './sql-database.ts';
import { all, get, run, type SqlSteps } from './sql-steps.ts';

const tables = [
  { table: 'registry_manifests', used: 'pushed_at' },
  { table: 'registry_links', used: 'touched_at' },
] as const;

/** What caches know of the use of what they hold, in SQL. */
export class SqlCache implements CacheRecords {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async markUsed(uses: readonly CacheUse[]): Promise<void> {
    await this.#database.transaction(() => this.#markUsed(uses));
  }

  async lastUseBeyond(range: RepositoryRange, bytes: number): Promise<number | undefined> {
    const terms = cacheTerms(range);
    const row = await this.#database.execute(
      get<{ used: number }>(
        `SELECT used FROM (
          SELECT used, CAST(SUM(size) OVER (ORDER BY used DESC, digest) AS BIGINT) AS total FROM (
            SELECT l.digest, MAX(l.size) AS size, MAX(l.touched_at) AS used FROM registry_links l
              JOIN registry_repositories r ON r.id = l.repository WHERE ${terms.sql} GROUP BY l.digest
          ) AS blobs
        ) AS totals WHERE total > $${terms.values.length + 1} ORDER BY total LIMIT 1`,
        ...terms.values,
        bytes,
      ),
    );
    return row?.used;
  }

  async removeUnused(range: RepositoryRange, before: number, limit: number): Promise<number> {
    const terms = cacheTerms(range);
    const next = terms.values.length + 1;
    let removed = 0;
    for (const { table, used } of tables) {
      const rows = await this.#database.execute(
        all<RowKey>(
          `SELECT x.repository, x.digest FROM ${table} x JOIN registry_repositories r ON r.id = x.repository
            WHERE ${terms.sql} AND x.${used} < $${next} LIMIT $${next + 1}`,
          ...terms.values,
          before,
          limit,
        ),
      );
      const doom = { table, condition: `x.${used} < $1`, before };
      const remove = () => removeRows(this.#database.dialect, rows, doom);
      if (rows.length > 0) removed += await this.#database.transaction(remove);
    }
    return removed;
  }

  *#markUsed(uses: readonly CacheUse[]): SqlSteps<void> {
    const { dialect } = this.#database;
    const repositories = yield* all<{ id: number; name: string }>(
      `SELECT id, name FROM registry_repositories WHERE name IN (SELECT value FROM ${dialect.list('$1')})`,
      [...new Set(uses.map(({ repository }) => repository))],
    );
    const ids = new Map(repositories.map(({ id, name }) => [name, id]));
    yield* lockRepositories(dialect, [...ids.values()]);
    for (const { repository, digest, at } of uses) {
      const id = ids.get(repository);
      if (id !== undefined) yield* mark(id, digest, at);
    }
  }
}

/** Notes the use of a manifest or blob and of all that it references. */
function* mark(repository: number, digest: string, at: number): SqlSteps<void> {
  // SQLite keeps to the order of a CROSS JOIN (lang_select.html); in the other one it would scan the repository's references.
  for (const { table, used } of tables) {
    yield* run(
      `WITH RECURSIVE below (digest) AS (
        SELECT f.target FROM registry_references f WHERE f.repository = $1 AND f.manifest = $2
          UNION SELECT f.target FROM below b CROSS JOIN registry_references f
            WHERE f.repository = $1 AND f.manifest = b.digest
      ) UPDATE ${table} SET ${used} = $3 WHERE repository = $1 AND ${used} < $3
        AND digest IN (SELECT CAST($2 AS TEXT) UNION ALL SELECT digest FROM below)`,
      repository,
      digest,
      at,
    );
  }
}
