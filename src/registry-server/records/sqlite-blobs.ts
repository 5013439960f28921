import type { Digest } from '#base';
import type { Database } from '#metadata';
import type { BlobLink, BlobRecords, RegistryEvent, WriteTerms } from './records.ts';
import { addEvent, ensureRepository, repositoryId, settle } from './sqlite-terms.ts';

/** Links between repositories and blobs, in SQLite. */
export class SqliteBlobs implements BlobRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async findBlob(repository: string, digest: Digest): Promise<BlobLink | undefined> {
    return this.#find(repository, digest);
  }

  async linkBlob(repository: string, blob: { digest: Digest; size: number }, terms: WriteTerms): Promise<void> {
    this.#database.transaction(() => {
      this.#database.run(
        'INSERT INTO registry_blobs VALUES (?, ?) ON CONFLICT DO UPDATE SET size = excluded.size',
        blob.digest,
        blob.size,
      );
      this.#link(repository, blob);
      settle(this.#database, terms);
    });
  }

  async mountBlob(from: string, repository: string, digest: Digest, terms: WriteTerms): Promise<BlobLink | undefined> {
    return this.#database.transaction(() => {
      const source = this.#find(from, digest);
      if (source === undefined) return undefined;
      this.#link(repository, source);
      settle(this.#database, terms);
      return source;
    });
  }

  async touchBlob(repository: string, digest: Digest): Promise<void> {
    this.#database.run(
      `UPDATE registry_links SET touched_at = ? WHERE digest = ?
        AND repository = (SELECT id FROM registry_repositories WHERE name = ?)`,
      Date.now(),
      digest,
      repository,
    );
  }

  async unlinkBlob(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean> {
    return this.#database.transaction(() => {
      const id = repositoryId(this.#database, repository);
      if (id === undefined) return false;
      const { changes } = this.#database.run(
        'DELETE FROM registry_links WHERE repository = ? AND digest = ?',
        id,
        digest,
      );
      if (changes > 0) addEvent(this.#database, event);
      return changes > 0;
    });
  }

  #find(repository: string, digest: Digest): BlobLink | undefined {
    const row = this.#database.get<{ size: number; touched_at: number }>(
      `SELECT l.size, l.touched_at FROM registry_links l JOIN registry_repositories r ON r.id = l.repository
        WHERE r.name = ? AND l.digest = ?`,
      repository,
      digest,
    );
    return row && { digest, size: row.size, touchedAt: row.touched_at };
  }

  #link(repository: string, blob: { digest: Digest; size: number }): void {
    this.#database.run(
      `INSERT INTO registry_links VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET touched_at = excluded.touched_at`,
      ensureRepository(this.#database, repository),
      blob.digest,
      blob.size,
      Date.now(),
    );
  }
}
