import type { EventRecords, RegistryEvent } from '../records/records.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { addEvent } from './postgres-terms.ts';

/** Events that wait for delivery, in PostgreSQL. */
export class PostgresEvents implements EventRecords {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async addEvent(event: RegistryEvent): Promise<void> {
    await this.#database.transaction((session) => addEvent(session, event));
  }

  async nextEvents(endpoint: string, limit: number): Promise<{ id: number; event: RegistryEvent }[]> {
    const rows = await this.#database.all<{ id: number; body: string }>(
      `SELECT id, body FROM registry_events
        WHERE id > COALESCE((SELECT last FROM registry_deliveries WHERE endpoint = $1), 0) ORDER BY id LIMIT $2`,
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
    await this.#database.transaction(async (session) => {
      await session.run(
        `INSERT INTO registry_deliveries AS d VALUES ($1, $2)
          ON CONFLICT (endpoint) DO UPDATE SET last = GREATEST(d.last, excluded.last)`,
        endpoint,
        id,
      );
      // An endpoint that has had nothing yet holds all events back.
      await session.run(
        `DELETE FROM registry_events WHERE id <= (
            SELECT MIN(COALESCE(d.last, 0)) FROM unnest($1::text[]) AS e (name)
              LEFT JOIN registry_deliveries d ON d.endpoint = e.name)
          OR id <= (SELECT COALESCE(MAX(id), 0) FROM registry_events) - $2`,
        options.endpoints,
        options.keep,
      );
    });
  }
}
