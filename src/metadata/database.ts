/** A value that SQLite stores. */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** One step of one room's schema. Steps of a room run in order of `version` (1, 2, ...), each once, each in a transaction. */
export interface Migration {
  /** The room whose tables these are; its tables begin with the room's name. */
  readonly room: string;
  readonly version: number;
  readonly sql: string;
}

/**
 * The engine's durable state: one SQLite file in WAL mode. Calls are synchronous; a write transaction is durable
 * (synchronous=FULL, about 0.25 ms) when it returns. Rooms keep their own SQL; nobody reads another room's tables.
 */
export interface Database {
  /** Runs one statement; returns the rows it changed. */
  run(sql: string, ...values: SqlValue[]): { changes: number };
  /** The first row, or undefined. */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined;
  /** All rows. */
  all<Row>(sql: string, ...values: SqlValue[]): Row[];
  /** Runs `body` in one transaction; a throw rolls back. Nested calls join the outer one. Never await inside. */
  transaction<T>(body: () => T): T;
  close(): void;
}
