import type { UploadRecords } from '../records/records.ts';
import type { PostgresDatabase } from './postgres-database.ts';

/** Uploads under way, in PostgreSQL. */
export class PostgresUploads implements UploadRecords {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async beginUpload(id: string, repository: string): Promise<void> {
    await this.#database.run('INSERT INTO registry_uploads VALUES ($1, $2, $3)', id, repository, Date.now());
  }

  async hasUpload(id: string, repository: string): Promise<boolean> {
    const found = await this.#database.get(
      'SELECT 1 FROM registry_uploads WHERE id = $1 AND repository = $2',
      id,
      repository,
    );
    return found !== undefined;
  }

  async endUpload(id: string): Promise<void> {
    await this.#database.run('DELETE FROM registry_uploads WHERE id = $1', id);
  }

  async uploadsBefore(before: number, limit: number): Promise<string[]> {
    const rows = await this.#database.all<{ id: string }>(
      'SELECT id FROM registry_uploads WHERE started_at < $1 LIMIT $2',
      before,
      limit,
    );
    return rows.map(({ id }) => id);
  }
}
