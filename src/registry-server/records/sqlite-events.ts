import type { Database } from '#metadata';
import type { EventRecords, RegistryEvent } from './records.ts';
import { addEvent } from './sqlite-terms.ts';

/** Events that wait for delivery, in SQLite. */
export class SqliteEvents implements EventRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async addEvent(event: RegistryEvent): Promise<void> {
    addEvent(this.#database, event);
  }

  async nextEvents(endpoint: string, limit: number): Promise<{ id: number; event: RegistryEvent }[]> {
    const rows = this.#database.all<{ id: number; body: string }>(
      `SELECT id, body FROM registry_events
        WHERE id > COALESCE((SELECT last FROM registry_deliveries WHERE endpoint = ?), 0) ORDER BY id LIMIT ?`,
      endpoint,
      limit,
    );
    return rows.map(({ id, body }) => ({ id, event: JSON.parse(body) as RegistryEvent }));
  }

  async delivered(
    endpoint: string,
    id: number,
    options: { endpoints: readonly string[]; keep: number },
  ): Promise<void> {
    this.#database.transaction(() => {
      this.#database.run(
        'INSERT INTO registry_deliveries VALUES (?, ?) ON CONFLICT DO UPDATE SET last = MAX(last, excluded.last)',
        endpoint,
        id,
      );
      const lasts = options.endpoints.map(
        (name) =>
          this.#database.get<{ last: number }>('SELECT last FROM registry_deliveries WHERE endpoint = ?', name)?.last ??
          0,
      );
      this.#database.run(
        `DELETE FROM registry_events WHERE id <= ?
          OR id <= (SELECT COALESCE(MAX(id), 0) FROM registry_events) - ?`,
        Math.min(...lasts),
        options.keep,
      );
    });
  }
}
