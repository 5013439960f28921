import type { Digest } from '#base';
import type { GarbageRecords, SweepCursor, SweepStep } from '../records/records.ts';
import { isForeignKeyError, type PostgresDatabase, type PostgresSession } from './postgres-database.ts';

/** The steps of garbage collection, in PostgreSQL. */
export class PostgresGarbage implements GarbageRecords {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async removeUntagged(step: SweepStep): Promise<{ removed: number; next: SweepCursor }> {
    return this.#sweep(step, {
      table: 'registry_manifests',
      doomed: `x.pushed_at < $1
        AND NOT EXISTS (SELECT 1 FROM registry_tags t WHERE t.repository = x.repository AND t.digest = x.digest)
        AND NOT EXISTS (SELECT 1 FROM registry_references f WHERE f.repository = x.repository AND f.target = x.digest)
        AND NOT EXISTS (SELECT 1 FROM registry_manifests s WHERE s.repository = x.repository AND s.digest = x.subject)`,
    });
  }

  async removeLooseLinks(step: SweepStep): Promise<{ removed: number; next: SweepCursor }> {
    return this.#sweep(step, {
      table: 'registry_links',
      doomed: `x.touched_at < $1
        AND NOT EXISTS (SELECT 1 FROM registry_references f WHERE f.repository = x.repository AND f.target = x.digest)`,
    });
  }

  async unlinkedBlobs(from: SweepCursor, limit: number): Promise<{ digests: Digest[]; next: SweepCursor }> {
    const rows = await this.#database.all<{ digest: Digest; linked: boolean }>(
      `SELECT digest, EXISTS (SELECT 1 FROM registry_links l WHERE l.digest = b.digest) AS linked
        FROM registry_blobs b WHERE digest > $1 ORDER BY digest LIMIT $2`,
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
    try {
      await this.#database.run(
        `DELETE FROM registry_blobs b WHERE digest = $1
          AND NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.digest = b.digest)`,
        digest,
      );
    } catch (error) {
      // A mount came between: the blob is linked again.
      if (isForeignKeyError(error)) return false;
      throw error;
    }
    return !(await this.knowsBlob(digest));
  }

  async knowsBlob(digest: Digest): Promise<boolean> {
    return (await this.#database.get('SELECT 1 FROM registry_blobs WHERE digest = $1', digest)) !== undefined;
  }

  async removeEmptyRepositories(): Promise<void> {
    const empty = `NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.repository = r.id)
      AND NOT EXISTS (SELECT 1 FROM registry_manifests m WHERE m.repository = r.id)
      AND NOT EXISTS (SELECT 1 FROM registry_uploads u WHERE u.repository = r.name)`;
    const rows = await this.#database.all<{ id: number }>(`SELECT id FROM registry_repositories r WHERE ${empty}`);
    for (const { id } of rows) {
      await this.#locked(id, (session) =>
        session.run(`DELETE FROM registry_repositories r WHERE id = $1 AND ${empty}`, id),
      );
    }
  }

  /** Looks at the next rows of a table in the order of its key and deletes those that the condition dooms. */
  async #sweep(step: SweepStep, what: { table: string; doomed: string }) {
    const rows = await this.#database.all<{ repository: number; digest: string; doomed: boolean }>(
      `SELECT x.repository, x.digest, (${what.doomed}) AS doomed FROM ${what.table} x
        WHERE (x.repository, x.digest) > ($2::int8, $3::text COLLATE "C") ORDER BY x.repository, x.digest LIMIT $4`,
      step.before,
      step.from?.repository ?? 0,
      step.from?.digest ?? '',
      step.limit,
    );
    const byRepository = new Map<number, string[]>();
    for (const { repository, digest, doomed } of rows) {
      if (doomed) byRepository.set(repository, [...(byRepository.get(repository) ?? []), digest]);
    }
    let removed = 0;
    for (const [repository, digests] of byRepository) {
      removed += await this.#locked(repository, (session) =>
        session.run(
          `DELETE FROM ${what.table} x WHERE repository = $2 AND digest = ANY($3) AND ${what.doomed}`,
          step.before,
          repository,
          digests,
        ),
      );
    }
    const last = rows.length < step.limit ? undefined : rows.at(-1);
    return { removed, next: last && { repository: last.repository, digest: last.digest } };
  }

  /**
   * Runs a statement while nobody else writes to the repository. A push may have changed it since it was looked at; the
   * statement looks again, and sees all that was committed before the lock.
   */
  async #locked(id: number, task: (session: PostgresSession) => Promise<number>): Promise<number> {
    return this.#database.transaction(async (session) => {
      await session.run('SELECT 1 FROM registry_repositories WHERE id = $1 FOR UPDATE', id);
      return task(session);
    });
  }
}
