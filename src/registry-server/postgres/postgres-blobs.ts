import type { Digest } from '#base';
import type { BlobLink, BlobRecords, RegistryEvent, WriteTerms } from '../records/records.ts';
import { isForeignKeyError, type PostgresDatabase, type PostgresSession } from './postgres-database.ts';
import { addEvent, ensureRepository, lockRepository, settle } from './postgres-terms.ts';

/** Links between repositories and blobs, in PostgreSQL. */
export class PostgresBlobs implements BlobRecords {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async findBlob(repository: string, digest: Digest): Promise<BlobLink | undefined> {
    return find(this.#database, repository, digest);
  }

  async linkBlob(repository: string, blob: { digest: Digest; size: number }, terms: WriteTerms): Promise<void> {
    await this.#database.transaction(async (session) => {
      const id = await ensureRepository(session, repository);
      await session.run(
        'INSERT INTO registry_blobs VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET size = excluded.size',
        blob.digest,
        blob.size,
      );
      await link(session, id, blob);
      await settle(session, terms);
    });
  }

  async mountBlob(from: string, repository: string, digest: Digest, terms: WriteTerms): Promise<BlobLink | undefined> {
    try {
      return await this.#database.transaction(async (session) => {
        const id = await ensureRepository(session, repository);
        const source = await find(session, from, digest);
        if (source === undefined) throw new SourceGone();
        await link(session, id, source);
        await settle(session, terms);
        return source;
      });
    } catch (error) {
      // Garbage collection may have forgotten the blob between the look at `from` and the link.
      if (error instanceof SourceGone || isForeignKeyError(error)) return undefined;
      throw error;
    }
  }

  async touchBlob(repository: string, digest: Digest): Promise<void> {
    await this.#database.run(
      `UPDATE registry_links SET touched_at = $1 WHERE digest = $2
        AND repository = (SELECT id FROM registry_repositories WHERE name = $3)`,
      Date.now(),
      digest,
      repository,
    );
  }

  async unlinkBlob(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean> {
    return this.#database.transaction(async (session) => {
      const id = await lockRepository(session, repository);
      if (id === undefined) return false;
      const changes = await session.run('DELETE FROM registry_links WHERE repository = $1 AND digest = $2', id, digest);
      if (changes > 0) await addEvent(session, event);
      return changes > 0;
    });
  }
}

/** Undoes a mount's transaction. */
class SourceGone extends Error {}

async function find(session: PostgresSession, repository: string, digest: Digest): Promise<BlobLink | undefined> {
  const row = await session.get<{ size: number; touched_at: number }>(
    `SELECT l.size, l.touched_at FROM registry_links l JOIN registry_repositories r ON r.id = l.repository
      WHERE r.name = $1 AND l.digest = $2`,
    repository,
    digest,
  );
  return row && { digest, size: row.size, touchedAt: row.touched_at };
}

async function link(session: PostgresSession, repository: number, blob: { digest: Digest; size: number }) {
  await session.run(
    `INSERT INTO registry_links VALUES ($1, $2, $3, $4)
      ON CONFLICT (repository, digest) DO UPDATE SET touched_at = excluded.touched_at`,
    repository,
    blob.digest,
    blob.size,
    Date.now(),
  );
}
