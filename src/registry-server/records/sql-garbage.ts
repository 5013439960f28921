import type { Digest } from '#base';
import type { GarbageRecords, SweepCursor, SweepStep } from './records.ts';
import { type Doom, lockRepositories, type RowKey, removeRows } from './remove-rows.ts';
import type { SqlDatabase } from './sql-database.ts';
import { all, get, run, type SqlSteps } from './sql-steps.ts';

/** A repository `r` that holds nothing. */
const isEmpty = `NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.repository = r.id)
  AND NOT EXISTS (SELECT 1 FROM registry_manifests m WHERE m.repository = r.id)
  AND NOT EXISTS (SELECT 1 FROM registry_uploads u WHERE u.repository = r.name)`;

/** A row `x` that no manifest of its repository references. */
const unreferenced = `NOT EXISTS (
  SELECT 1 FROM registry_references f WHERE f.repository = x.repository AND f.target = x.digest)`;

/** The steps of garbage collection, in SQL. */
export class SqlGarbage implements GarbageRecords {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async removeUntagged(step: SweepStep): Promise<{ removed: number; next: SweepCursor }> {
    return this.#sweep(step, {
      table: 'registry_manifests',
      before: step.before,
      condition: `x.pushed_at < $1 AND ${unreferenced}
        AND NOT EXISTS (SELECT 1 FROM registry_tags t WHERE t.repository = x.repository AND t.digest = x.digest)
        AND NOT EXISTS (SELECT 1 FROM registry_manifests s WHERE s.repository = x.repository AND s.digest = x.subject)`,
    });
  }

  async removeLooseLinks(step: SweepStep): Promise<{ removed: number; next: SweepCursor }> {
    const condition = `x.touched_at < $1 AND ${unreferenced}`;
    return this.#sweep(step, { table: 'registry_links', before: step.before, condition });
  }

  async unlinkedBlobs(from: SweepCursor, limit: number): Promise<{ digests: Digest[]; next: SweepCursor }> {
    const rows = await this.#database.execute(
      all<{ digest: Digest; linked: number }>(
        `SELECT digest, CASE WHEN EXISTS (SELECT 1 FROM registry_links l WHERE l.digest = b.digest) THEN 1 ELSE 0 END
          AS linked FROM registry_blobs b WHERE digest > $1 ORDER BY digest LIMIT $2`,
        from?.digest ?? '',
        limit,
      ),
    );
    const last = rows.length < limit ? undefined : rows.at(-1);
    return {
      digests: rows.flatMap(({ digest, linked }) => (linked === 1 ? [] : [digest])),
      next: last && { repository: 0, digest: last.digest },
    };
  }

  async forgetBlob(digest: Digest): Promise<boolean> {
    try {
      return await this.#database.transaction(() => forget(digest));
    } catch (error) {
      // A mount came between: the blob is linked again.
      if (this.#database.isForeignKeyError(error)) return false;
      throw error;
    }
  }

  async knowsBlob(digest: Digest): Promise<boolean> {
    return this.#database.execute(knows(digest));
  }

  async removeEmptyRepositories(): Promise<void> {
    const sql = `SELECT r.id FROM registry_repositories r WHERE ${isEmpty}`;
    const rows = await this.#database.execute(all<{ id: number }>(sql));
    if (rows.length > 0) await this.#database.transaction(() => this.#removeEmpty(rows.map(({ id }) => id)));
  }

  *#removeEmpty(ids: readonly number[]): SqlSteps<void> {
    const { dialect } = this.#database;
    yield* lockRepositories(dialect, ids);
    yield* run(
      `DELETE FROM registry_repositories AS r
        WHERE r.id IN (SELECT CAST(value AS BIGINT) FROM ${dialect.list('$1')}) AND ${isEmpty}`,
      ids.map(String),
    );
  }

  /** Looks at the next rows of a table in the order of its key and deletes those that the condition dooms. */
  async #sweep(step: SweepStep, doom: Doom): Promise<{ removed: number; next: SweepCursor }> {
    // No CAST in the comparison: SQLite would look at all rows from the repository's first one on.
    const rows = await this.#database.execute(
      all<RowKey & { doomed: number }>(
        `SELECT x.repository, x.digest, CASE WHEN ${doom.condition} THEN 1 ELSE 0 END AS doomed FROM ${doom.table} x
          WHERE (x.repository, x.digest) > ($2, $3)
          ORDER BY x.repository, x.digest LIMIT $4`,
        step.before,
        step.from?.repository ?? 0,
        step.from?.digest ?? '',
        step.limit,
      ),
    );
    const doomed = rows.filter((row) => row.doomed === 1);
    const remove = () => removeRows(this.#database.dialect, doomed, doom);
    const removed = doomed.length === 0 ? 0 : await this.#database.transaction(remove);
    const last = rows.length < step.limit ? undefined : rows.at(-1);
    return { removed, next: last && { repository: last.repository, digest: last.digest } };
  }
}

function* forget(digest: Digest): SqlSteps<boolean> {
  yield* run(
    `DELETE FROM registry_blobs AS b WHERE b.digest = $1
      AND NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.digest = b.digest)`,
    digest,
  );
  return !(yield* knows(digest));
}

function* knows(digest: Digest): SqlSteps<boolean> {
  return (yield* get('SELECT 1 FROM registry_blobs WHERE digest = $1', digest)) !== undefined;
}
