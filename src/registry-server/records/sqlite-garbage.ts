import type { Digest } from '#base';
import type { Database } from '#metadata';
import type { GarbageRecords, SweepCursor, SweepStep } from './records.ts';

/** The steps of garbage collection, in SQLite. */
export class SqliteGarbage implements GarbageRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async removeUntagged(step: SweepStep): Promise<{ removed: number; next: SweepCursor }> {
    return this.#sweep(step, {
      table: 'registry_manifests',
      doomed: `x.pushed_at < ?
        AND NOT EXISTS (SELECT 1 FROM registry_tags t WHERE t.repository = x.repository AND t.digest = x.digest)
        AND NOT EXISTS (SELECT 1 FROM registry_references f WHERE f.repository = x.repository AND f.target = x.digest)
        AND NOT EXISTS (SELECT 1 FROM registry_manifests s WHERE s.repository = x.repository AND s.digest = x.subject)`,
    });
  }

  async removeLooseLinks(step: SweepStep): Promise<{ removed: number; next: SweepCursor }> {
    return this.#sweep(step, {
      table: 'registry_links',
      doomed: `x.touched_at < ?
        AND NOT EXISTS (SELECT 1 FROM registry_references f WHERE f.repository = x.repository AND f.target = x.digest)`,
    });
  }

  async unlinkedBlobs(from: SweepCursor, limit: number): Promise<{ digests: Digest[]; next: SweepCursor }> {
    const rows = this.#database.all<{ digest: Digest; linked: number }>(
      `SELECT digest, EXISTS (SELECT 1 FROM registry_links l WHERE l.digest = b.digest) AS linked
        FROM registry_blobs b WHERE digest > ? ORDER BY digest LIMIT ?`,
      from?.digest ?? '',
      limit,
    );
    const last = rows.length < limit ? undefined : rows.at(-1);
    return {
      digests: rows.flatMap(({ digest, linked }) => (linked ? [] : [digest])),
      next: last && { repository: 0, digest: last.digest },
    };
  }

  async forgetBlob(digest: Digest): Promise<boolean> {
    return this.#database.transaction(() => {
      this.#database.run(
        `DELETE FROM registry_blobs WHERE digest = ?
          AND NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.digest = registry_blobs.digest)`,
        digest,
      );
      return !this.#knows(digest);
    });
  }

  async knowsBlob(digest: Digest): Promise<boolean> {
    return this.#knows(digest);
  }

  async removeEmptyRepositories(): Promise<void> {
    this.#database.run(
      `DELETE FROM registry_repositories WHERE
        NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.repository = id)
        AND NOT EXISTS (SELECT 1 FROM registry_manifests m WHERE m.repository = id)
        AND NOT EXISTS (SELECT 1 FROM registry_uploads u WHERE u.repository = name)`,
    );
  }

  #knows(digest: Digest): boolean {
    return this.#database.get('SELECT 1 FROM registry_blobs WHERE digest = ?', digest) !== undefined;
  }

  /** Looks at the next rows of a table in the order of its key and deletes those that the condition dooms. */
  #sweep(step: SweepStep, what: { table: string; doomed: string }): { removed: number; next: SweepCursor } {
    const repository = step.from?.repository ?? 0;
    const digest = step.from?.digest ?? '';
    return this.#database.transaction(() => {
      const rows = this.#database.all<{ repository: number; digest: string; doomed: number }>(
        `SELECT x.repository, x.digest, (${what.doomed}) AS doomed FROM ${what.table} x
          WHERE (x.repository, x.digest) > (?, ?) ORDER BY x.repository, x.digest LIMIT ?`,
        step.before,
        repository,
        digest,
        step.limit,
      );
      const doomed = rows.filter((row) => row.doomed === 1);
      for (const row of doomed) {
        this.#database.run(`DELETE FROM ${what.table} WHERE repository = ? AND digest = ?`, row.repository, row.digest);
      }
      const last = rows.length < step.limit ? undefined : rows.at(-1);
      return { removed: doomed.length, next: last && { repository: last.repository, digest: last.digest } };
    });
  }
}
