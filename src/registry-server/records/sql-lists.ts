import type { Digest } from '#base';
import type { ListRecords, Page, Referrer } from './records.ts';
import type { SqlDatabase } from './sql-database.ts';
import { all, get } from './sql-steps.ts';
import { usageBelow } from './write-terms.ts';

interface ReferrerRow {
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
  readonly artifact_type: string | null;
  readonly annotations: string | null;
}

/** Lists and sums, in SQL. The tables compare names and digests by bytes, which is ASCII order. */
export class SqlLists implements ListRecords {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async hasRepository(repository: string): Promise<boolean> {
    const sql = 'SELECT 1 FROM registry_repositories WHERE name = $1';
    return (await this.#database.execute(get(sql, repository))) !== undefined;
  }

  async repositories(page: Page): Promise<string[]> {
    const rows = await this.#database.execute(
      all<{ name: string }>(
        `SELECT name FROM registry_repositories r WHERE name > $1
          AND EXISTS (SELECT 1 FROM registry_manifests m WHERE m.repository = r.id) ORDER BY name LIMIT $2`,
        page.after,
        page.limit,
      ),
    );
    return rows.map(({ name }) => name);
  }

  async tags(repository: string, page: Page): Promise<string[]> {
    const rows = await this.#database.execute(
      all<{ name: string }>(
        `SELECT t.name FROM registry_tags t JOIN registry_repositories r ON r.id = t.repository
          WHERE r.name = $1 AND t.name > $2 ORDER BY t.name LIMIT $3`,
        repository,
        page.after,
        page.limit,
      ),
    );
    return rows.map(({ name }) => name);
  }

  async referrers(repository: string, subject: Digest, page: Page & { artifactType?: string }): Promise<Referrer[]> {
    const rows = await this.#database.execute(
      all<ReferrerRow>(
        `SELECT m.digest, m.media_type, m.size, m.artifact_type, m.annotations
          FROM registry_manifests m JOIN registry_repositories r ON r.id = m.repository
          WHERE r.name = $1 AND m.subject = $2 AND m.digest > $3
            AND (CAST($4 AS TEXT) IS NULL OR m.artifact_type = CAST($4 AS TEXT))
          ORDER BY m.digest LIMIT $5`,
        repository,
        subject,
        page.after,
        page.artifactType ?? null,
        page.limit,
      ),
    );
    return rows.map((row) => ({
      digest: row.digest,
      mediaType: row.media_type,
      size: row.size,
      artifactType: row.artifact_type ?? undefined,
      annotations: row.annotations === null ? undefined : (JSON.parse(row.annotations) as Record<string, string>),
    }));
  }

  async usage(prefix: string): Promise<number> {
    return this.#database.execute(usageBelow(prefix));
  }

  async totals() {
    const row = await this.#database.execute(
      get<Awaited<ReturnType<ListRecords['totals']>>>(
        `SELECT (SELECT COUNT(*) FROM registry_repositories) AS repositories,
          (SELECT COUNT(*) FROM registry_tags) AS tags, (SELECT COUNT(*) FROM registry_manifests) AS manifests,
          (SELECT COUNT(*) FROM registry_blobs) AS blobs,
          (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM registry_blobs) AS "blobBytes"`,
      ),
    );
    return row ?? { repositories: 0, tags: 0, manifests: 0, blobs: 0, blobBytes: 0 };
  }
}
