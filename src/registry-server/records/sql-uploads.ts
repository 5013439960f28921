import type { UploadRecords } from './records.ts';
import type { SqlDatabase } from './sql-database.ts';
import { all, get, run } from './sql-steps.ts';

/** Uploads under way, in SQL. */
export class SqlUploads implements UploadRecords {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async beginUpload(id: string, repository: string): Promise<void> {
    await this.#database.execute(run('INSERT INTO registry_uploads VALUES ($1, $2, $3)', id, repository, Date.now()));
  }

  async hasUpload(id: string, repository: string): Promise<boolean> {
    const sql = 'SELECT 1 FROM registry_uploads WHERE id = $1 AND repository = $2';
    return (await this.#database.execute(get(sql, id, repository))) !== undefined;
  }

  async endUpload(id: string): Promise<void> {
    await this.#database.execute(run('DELETE FROM registry_uploads WHERE id = $1', id));
  }

  async uploadsBefore(before: number, limit: number): Promise<string[]> {
    const sql = 'SELECT id FROM registry_uploads WHERE started_at < $1 LIMIT $2';
    const rows = await this.#database.execute(all<{ id: string }>(sql, before, limit));
    return rows.map(({ id }) => id);
  }
}
