import type { Database } from '#metadata';
import type { UploadRecords } from './records.ts';

/** Uploads under way, in SQLite. */
export class SqliteUploads implements UploadRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async beginUpload(id: string, repository: string): Promise<void> {
    this.#database.run('INSERT INTO registry_uploads VALUES (?, ?, ?)', id, repository, Date.now());
  }

  async hasUpload(id: string, repository: string): Promise<boolean> {
    return (
      this.#database.get('SELECT 1 FROM registry_uploads WHERE id = ? AND repository = ?', id, repository) !== undefined
    );
  }

  async endUpload(id: string): Promise<void> {
    this.#database.run('DELETE FROM registry_uploads WHERE id = ?', id);
  }

  async uploadsBefore(before: number, limit: number): Promise<string[]> {
    const rows = this.#database.all<{ id: string }>(
      'SELECT id FROM registry_uploads WHERE started_at < ? LIMIT ?',
      before,
      limit,
    );
    return rows.map(({ id }) => id);
  }
}
