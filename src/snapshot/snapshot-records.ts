import { notFound } from '#base';
import type { Database, Migration } from '#metadata';
import type { SnapshotInfo, SnapshotUsage } from './snapshot.ts';

/** Tables of this room. */
export const snapshotMigrations: readonly Migration[] = [
  {
    room: 'snapshot',
    version: 1,
    sql: `CREATE TABLE snapshot_records (
            number INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('active', 'committed')),
            parent INTEGER REFERENCES snapshot_records (number),
            created_at INTEGER NOT NULL,
            bytes INTEGER,
            inodes INTEGER
          ) STRICT;
          CREATE INDEX snapshot_records_parent ON snapshot_records (parent);`,
  },
  { room: 'snapshot', version: 2, sql: 'ALTER TABLE snapshot_records ADD COLUMN disk INTEGER;' },
  { room: 'snapshot', version: 3, sql: 'ALTER TABLE snapshot_records ADD COLUMN sized INTEGER NOT NULL DEFAULT 0;' },
];

/** One snapshot as recorded. `number` names its directory. */
export interface SnapshotRecord extends SnapshotInfo {
  readonly number: number;
  /** Cached usage of a committed snapshot. */
  readonly bytes: number | null;
  readonly inodes: number | null;
  readonly disk: number | null;
  /** 1 when it is a bounded file system of its own. */
  readonly sized: 0 | 1;
}

interface Row extends Omit<SnapshotRecord, 'parent'> {
  readonly parent: string | null;
}

const columns = `SELECT s.number, s.key, s.kind, p.key AS parent, s.created_at AS createdAt, s.bytes, s.inodes, s.disk,
  s.sized
  FROM snapshot_records s LEFT JOIN snapshot_records p ON p.number = s.parent`;

const record = (row: Row): SnapshotRecord => ({ ...row, parent: row.parent ?? undefined });

/** The snapshot tables. All calls are synchronous and durable when they return. */
export class SnapshotRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  find(key: string): SnapshotRecord | undefined {
    const row = this.#database.get<Row>(`${columns} WHERE s.key = ?`, key);
    return row === undefined ? undefined : record(row);
  }

  /** Throws `not-found`. */
  get(key: string): SnapshotRecord {
    const found = this.find(key);
    if (found === undefined) throw notFound(`snapshot ${key} does not exist`);
    return found;
  }

  /** Parents before children. */
  list(): SnapshotRecord[] {
    const rows = this.#database.all<Row>(
      `WITH RECURSIVE tree (number, depth) AS (
         SELECT number, 0 FROM snapshot_records WHERE parent IS NULL
         UNION ALL
         SELECT s.number, depth + 1 FROM snapshot_records s JOIN tree ON s.parent = tree.number)
       ${columns} JOIN tree ON tree.number = s.number ORDER BY tree.depth, s.number`,
    );
    return rows.map(record);
  }

  /** Numbers from `number` down to its base layer. */
  chain(number: number): number[] {
    const rows = this.#database.all<{ number: number }>(
      `WITH RECURSIVE chain (number, parent, depth) AS (
         SELECT number, parent, 0 FROM snapshot_records WHERE number = ?
         UNION ALL
         SELECT s.number, s.parent, depth + 1 FROM snapshot_records s JOIN chain ON s.number = chain.parent)
       SELECT number FROM chain ORDER BY depth`,
      number,
    );
    return rows.map((row) => row.number);
  }

  highestNumber(): number {
    return this.#database.get<{ n: number | null }>('SELECT max(number) AS n FROM snapshot_records')?.n ?? 0;
  }

  insertActive(
    snapshot: Pick<SnapshotRecord, 'number' | 'key' | 'createdAt' | 'sized'> & { parent: number | undefined },
  ): void {
    this.#database.run(
      `INSERT INTO snapshot_records (number, key, kind, parent, created_at, sized) VALUES (?, ?, 'active', ?, ?, ?)`,
      snapshot.number,
      snapshot.key,
      snapshot.parent ?? null,
      snapshot.createdAt,
      snapshot.sized,
    );
  }

  /** Freezes it as `name`; a `parent` given moves it on top of that one. */
  commit(number: number, as: { name: string; parent: number | undefined; createdAt: number }): void {
    this.#database.run(
      `UPDATE snapshot_records SET key = ?, kind = 'committed', parent = coalesce(?, parent), created_at = ?
       WHERE number = ?`,
      as.name,
      as.parent ?? null,
      as.createdAt,
      number,
    );
  }

  setUsage(number: number, usage: SnapshotUsage): void {
    this.#database.run(
      `UPDATE snapshot_records SET bytes = ?, inodes = ?, disk = ? WHERE number = ?`,
      usage.bytes,
      usage.inodes,
      usage.diskBytes,
      number,
    );
  }

  /** Removes the record and returns true, unless another one has it as parent. */
  remove(number: number): boolean {
    const gone = this.#database.run(
      `DELETE FROM snapshot_records WHERE number = ?1
       AND NOT EXISTS (SELECT 1 FROM snapshot_records WHERE parent = ?1)`,
      number,
    );
    return gone.changes > 0;
  }
}
