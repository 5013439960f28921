import type { Digest } from '#base';
import type { BlobLink, BlobRecords, RegistryEvent, WriteTerms } from './records.ts';
import type { SqlDatabase } from './sql-database.ts';
import { get, run, type SqlSteps } from './sql-steps.ts';
import { addEvent, ensureRepository, lockRepository, settle } from './write-terms.ts';

type NewLink = Pick<BlobLink, 'digest' | 'size'>;

/** Links between repositories and blobs, in SQL. */
export class SqlBlobs implements BlobRecords {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async findBlob(repository: string, digest: Digest): Promise<BlobLink | undefined> {
    return this.#database.execute(find(repository, digest));
  }

  async linkBlob(repository: string, blob: NewLink, terms: WriteTerms): Promise<void> {
    await this.#database.transaction(() => this.#linkBlob(repository, blob, terms));
  }

  async mountBlob(from: string, repository: string, digest: Digest, terms: WriteTerms): Promise<BlobLink | undefined> {
    try {
      return await this.#database.transaction(() => this.#mountBlob(from, repository, { digest, terms }));
    } catch (error) {
      // Garbage collection may have forgotten the blob between the look at `from` and the link.
      if (this.#database.isForeignKeyError(error)) return undefined;
      throw error;
    }
  }

  async touchBlob(repository: string, digest: Digest): Promise<void> {
    await this.#database.execute(
      run(
        `UPDATE registry_links SET touched_at = $1 WHERE digest = $2
          AND repository = (SELECT id FROM registry_repositories WHERE name = $3)`,
        Date.now(),
        digest,
        repository,
      ),
    );
  }

  async unlinkBlob(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean> {
    return this.#database.transaction(() => this.#unlinkBlob(repository, digest, event));
  }

  *#linkBlob(repository: string, blob: NewLink, terms: WriteTerms): SqlSteps<void> {
    const id = yield* ensureRepository(this.#database.dialect, repository);
    yield* run(
      'INSERT INTO registry_blobs VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET size = excluded.size',
      blob.digest,
      blob.size,
    );
    yield* link(id, blob);
    yield* settle(this.#database.dialect, terms);
  }

  *#mountBlob(
    from: string,
    repository: string,
    { digest, terms }: { digest: Digest; terms: WriteTerms },
  ): SqlSteps<BlobLink | undefined> {
    const source = yield* find(from, digest);
    if (source === undefined) return undefined;
    const id = yield* ensureRepository(this.#database.dialect, repository);
    yield* link(id, source);
    yield* settle(this.#database.dialect, terms);
    return source;
  }

  *#unlinkBlob(repository: string, digest: Digest, event: RegistryEvent | undefined): SqlSteps<boolean> {
    const id = yield* lockRepository(this.#database.dialect, repository);
    if (id === undefined) return false;
    const changes = yield* run('DELETE FROM registry_links WHERE repository = $1 AND digest = $2', id, digest);
    if (changes > 0) yield* addEvent(this.#database.dialect, event);
    return changes > 0;
  }
}

function* find(repository: string, digest: Digest): SqlSteps<BlobLink | undefined> {
  const row = yield* get<{ size: number; touched_at: number }>(
    `SELECT l.size, l.touched_at FROM registry_links l JOIN registry_repositories r ON r.id = l.repository
      WHERE r.name = $1 AND l.digest = $2`,
    repository,
    digest,
  );
  return row && { digest, size: row.size, touchedAt: row.touched_at };
}

function* link(repository: number, blob: NewLink): SqlSteps<void> {
  yield* run(
    `INSERT INTO registry_links VALUES ($1, $2, $3, $4)
      ON CONFLICT (repository, digest) DO UPDATE SET touched_at = excluded.touched_at`,
    repository,
    blob.digest,
    blob.size,
    Date.now(),
  );
}
