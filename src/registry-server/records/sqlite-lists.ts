import type { Digest } from '#base';
import type { Database } from '#metadata';
import type { ListRecords, Page, Referrer } from './records.ts';
import { repositoryId, usageBelow } from './sqlite-terms.ts';

interface ReferrerRow {
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
  readonly artifact_type: string | null;
  readonly annotations: string | null;
}

/** Lists and sums, in SQLite. Its default collation compares bytes, which is ASCII order. */
export class SqliteLists implements ListRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async hasRepository(repository: string): Promise<boolean> {
    return repositoryId(this.#database, repository) !== undefined;
  }

  async repositories(page: Page): Promise<string[]> {
    const rows = this.#database.all<{ name: string }>(
      `SELECT name FROM registry_repositories r WHERE name > ?
        AND EXISTS (SELECT 1 FROM registry_manifests m WHERE m.repository = r.id) ORDER BY name LIMIT ?`,
      page.after,
      page.limit,
    );
    return rows.map(({ name }) => name);
  }

  async tags(repository: string, page: Page): Promise<string[]> {
    const rows = this.#database.all<{ name: string }>(
      `SELECT t.name FROM registry_tags t JOIN registry_repositories r ON r.id = t.repository
        WHERE r.name = ? AND t.name > ? ORDER BY t.name LIMIT ?`,
      repository,
      page.after,
      page.limit,
    );
    return rows.map(({ name }) => name);
  }

  async referrers(repository: string, subject: Digest, page: Page & { artifactType?: string }): Promise<Referrer[]> {
    const type = page.artifactType ?? null;
    const rows = this.#database.all<ReferrerRow>(
      `SELECT m.digest, m.media_type, m.size, m.artifact_type, m.annotations
        FROM registry_manifests m JOIN registry_repositories r ON r.id = m.repository
        WHERE r.name = ? AND m.subject = ? AND m.digest > ? AND (? IS NULL OR m.artifact_type = ?)
        ORDER BY m.digest LIMIT ?`,
      repository,
      subject,
      page.after,
      type,
      type,
      page.limit,
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
    return usageBelow(this.#database, prefix);
  }

  async totals() {
    const count = (table: string) =>
      this.#database.get<{ count: number }>(`SELECT COUNT(*) AS count FROM registry_${table}`)?.count ?? 0;
    const bytes = this.#database.get<{ bytes: number }>('SELECT COALESCE(SUM(size), 0) AS bytes FROM registry_blobs');
    return {
      repositories: count('repositories'),
      tags: count('tags'),
      manifests: count('manifests'),
      blobs: count('blobs'),
      blobBytes: bytes?.bytes ?? 0,
    };
  }
}
