import type { EventRecords, RegistryEvent } from './records.ts';
import type { SqlDatabase } from './sql-database.ts';
import { all, run, type SqlSteps } from './sql-steps.ts';
import { addEvent } from './write-terms.ts';

/** Events that wait for delivery, in SQL. */
export class SqlEvents implements EventRecords {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async addEvent(event: RegistryEvent): Promise<void> {
    await this.#database.transaction(() => addEvent(this.#database.dialect, event));
  }

  async nextEvents(endpoint: string, limit: number): Promise<{ id: number; event: RegistryEvent }[]> {
    const rows = await this.#database.execute(
      all<{ id: number; body: string }>(
        `SELECT id, body FROM registry_events
          WHERE id > COALESCE((SELECT last FROM registry_deliveries WHERE endpoint = $1), 0) ORDER BY id LIMIT $2`,
        endpoint,
        limit,
      ),
    );
    return rows.map(({ id, body }) => ({ id, event: JSON.parse(body) as RegistryEvent }));
  }

  async delivered(
    endpoint: string,
    id: number,
    options: { endpoints: readonly string[]; keep: number },
  ): Promise<void> {
    await this.#database.transaction(() => this.#delivered(endpoint, id, options));
  }

  *#delivered(endpoint: string, id: number, options: { endpoints: readonly string[]; keep: number }): SqlSteps<void> {
    yield* run(
      `INSERT INTO registry_deliveries VALUES ($1, $2)
        ON CONFLICT (endpoint) DO UPDATE SET last = excluded.last WHERE excluded.last > registry_deliveries.last`,
      endpoint,
      id,
    );
    // An endpoint that has had nothing yet holds all events back.
    yield* run(
      `DELETE FROM registry_events WHERE id <= (
          SELECT MIN(COALESCE(d.last, 0)) FROM ${this.#database.dialect.list('$1')}
            LEFT JOIN registry_deliveries d ON d.endpoint = list.value)
        OR id <= (SELECT COALESCE(MAX(id), 0) FROM registry_events) - $2`,
      options.endpoints,
      options.keep,
    );
  }
}
