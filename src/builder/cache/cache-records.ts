import type { NewLayer } from '#image';
import type { Database } from '#metadata';

/** A layer that a step made, and the key of its committed snapshot. */
export interface StepLayer extends NewLayer {
  readonly chainId: string;
}

/** What one step did, found again by its key. */
export interface StepOutcome {
  /** Undefined when the step changed no file. */
  readonly layer: StepLayer | undefined;
  /** The instruction as the image's history shows it. */
  readonly createdBy: string;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** One row, as prune and disk usage see it. */
export interface CacheRecord {
  readonly key: string;
  readonly description: string;
  readonly chainId: string | undefined;
  /** Bytes of the layer, uncompressed. */
  readonly size: number;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly usageCount: number;
}

interface ResultRow {
  readonly key: string;
  readonly description: string;
  readonly chain_id: string | null;
  readonly layer: string | null;
  readonly size: number;
  readonly created_at: number;
  readonly last_used_at: number;
  readonly usage_count: number;
}

/** The durable build cache: outcomes of steps by key, and what was selected from immutable layers. */
export class CacheRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  find(key: string): StepOutcome | undefined {
    const row = this.#database.get<ResultRow>('SELECT * FROM builder_results WHERE key = ?', key);
    if (row === undefined) return undefined;
    const layer = row.layer === null ? undefined : (JSON.parse(row.layer) as StepLayer);
    return { layer, createdBy: row.description, createdAt: row.created_at };
  }

  /** Replaces what the key had before. Durable when it returns. */
  store(key: string, outcome: StepOutcome): void {
    const { layer, createdBy, createdAt } = outcome;
    this.#database.run(
      `INSERT INTO builder_results VALUES (?, ?, ?, ?, ?, ?, ?, 1)
       ON CONFLICT (key) DO UPDATE SET description = excluded.description, chain_id = excluded.chain_id,
         layer = excluded.layer, size = excluded.size, created_at = excluded.created_at,
         last_used_at = excluded.last_used_at, usage_count = usage_count + 1`,
      key,
      createdBy,
      layer?.chainId ?? null,
      layer === undefined ? null : JSON.stringify(layer),
      layer?.descriptor.size ?? 0,
      createdAt,
      createdAt,
    );
  }

  /** Counts one use of each key, in one transaction. */
  touch(keys: readonly string[], at: number): void {
    if (keys.length === 0) return;
    this.#database.transaction(() => {
      for (const key of keys) {
        this.#database.run(
          'UPDATE builder_results SET last_used_at = ?, usage_count = usage_count + 1 WHERE key = ?',
          at,
          key,
        );
      }
    });
  }

  /** What was selected from an immutable file system: `dir:HEX`. */
  findContent(key: string): string | undefined {
    return this.#database.get<{ label: string }>('SELECT label FROM builder_contents WHERE key = ?', key)?.label;
  }

  storeContent(key: string, chainId: string, label: string): void {
    this.#database.run('INSERT OR REPLACE INTO builder_contents VALUES (?, ?, ?)', key, chainId, label);
  }

  /** All records, least recently used first. */
  list(): CacheRecord[] {
    return this.#database.all<ResultRow>('SELECT * FROM builder_results ORDER BY last_used_at, key').map((row) => ({
      key: row.key,
      description: row.description,
      chainId: row.chain_id ?? undefined,
      size: row.size,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
      usageCount: row.usage_count,
    }));
  }

  /** Keys of the snapshots that the records need. */
  chains(): Set<string> {
    const rows = this.#database.all<{ chain_id: string }>(
      'SELECT DISTINCT chain_id FROM builder_results WHERE chain_id IS NOT NULL',
    );
    return new Set(rows.map((row) => row.chain_id));
  }

  /** Removes records; selections from snapshots that no record names go too. */
  remove(keys: readonly string[]): void {
    this.#database.transaction(() => {
      for (const key of keys) this.#database.run('DELETE FROM builder_results WHERE key = ?', key);
      this.#database.run(
        `DELETE FROM builder_contents WHERE chain_id NOT IN
           (SELECT chain_id FROM builder_results WHERE chain_id IS NOT NULL)`,
      );
    });
  }
}
