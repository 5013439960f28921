import type { Database, Migration } from '#metadata';
import type { Volume } from './volume.ts';

/** Tables of this room. */
export const volumeMigrations: readonly Migration[] = [
  {
    room: 'volume',
    version: 1,
    sql: `
      CREATE TABLE volume_volumes (
        name TEXT PRIMARY KEY, driver TEXT NOT NULL, created_at INTEGER NOT NULL,
        labels TEXT NOT NULL, options TEXT NOT NULL, anonymous INTEGER NOT NULL);
      CREATE TABLE volume_users (
        volume TEXT NOT NULL REFERENCES volume_volumes (name) ON DELETE CASCADE,
        user TEXT NOT NULL, PRIMARY KEY (volume, user));
      CREATE INDEX volume_users_by_user ON volume_users (user);`,
  },
  {
    room: 'volume',
    version: 2,
    sql: `
      ALTER TABLE volume_volumes ADD COLUMN layers TEXT NOT NULL DEFAULT '[]';
      CREATE TABLE volume_layers (id TEXT PRIMARY KEY, origin TEXT NOT NULL, part TEXT NOT NULL);
      CREATE TABLE volume_moves (old_name TEXT PRIMARY KEY, new_name TEXT NOT NULL);`,
  },
  {
    room: 'volume',
    version: 3,
    sql: `
      CREATE TABLE volume_copies (
        volume TEXT PRIMARY KEY REFERENCES volume_volumes (name) ON DELETE CASCADE ON UPDATE CASCADE);`,
  },
];

/** A volume as recorded; its mountpoint is the driver's to know. */
export type VolumeRecord = Omit<Volume, 'mountpoint' | 'scope' | 'status'> & {
  /** Ids of the frozen layers below its own data, bottom first; empty for a volume that is one plain directory. */
  readonly layers: readonly string[];
};

/** Data that no longer changes and that volumes share. `origin` is the volume whose directory `part` it was. */
export interface LayerRecord {
  readonly id: string;
  readonly origin: string;
  readonly part: '_data' | 'upper';
}

interface Row {
  name: string;
  driver: string;
  created_at: number;
  labels: string;
  options: string;
  anonymous: number;
  layers: string;
}

/** The durable part of the volume room: volumes and who uses them. */
export class VolumeRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(name: string): VolumeRecord | undefined {
    const row = this.#database.get<Row>('SELECT * FROM volume_volumes WHERE name = ?', name);
    return row && decode(row);
  }

  list(): VolumeRecord[] {
    return this.#database.all<Row>('SELECT * FROM volume_volumes ORDER BY name').map(decode);
  }

  insert(volume: VolumeRecord): void {
    this.#database.run(
      'INSERT INTO volume_volumes VALUES (?, ?, ?, ?, ?, ?, ?)',
      volume.name,
      volume.driver,
      volume.createdAt,
      JSON.stringify(volume.labels),
      JSON.stringify(volume.options),
      volume.anonymous ? 1 : 0,
      JSON.stringify(volume.layers),
    );
  }

  delete(name: string): void {
    this.#database.run('DELETE FROM volume_volumes WHERE name = ?', name);
  }

  /** Records a clone at one stroke: the layer that freezing makes of the source, if any, and both volumes on it. */
  insertClone(source: VolumeRecord, target: VolumeRecord, layer: LayerRecord | undefined): void {
    this.#database.transaction(() => {
      if (layer) {
        this.#database.run('INSERT INTO volume_layers VALUES (?, ?, ?)', layer.id, layer.origin, layer.part);
        this.#database.run(
          'UPDATE volume_volumes SET layers = ? WHERE name = ?',
          JSON.stringify([...source.layers, layer.id]),
          source.name,
        );
      }
      this.insert(target);
    });
  }

  layers(): LayerRecord[] {
    return this.#database.all<LayerRecord>('SELECT * FROM volume_layers');
  }

  /** Forgets the layers that no volume has any more, and returns their ids. */
  takeUnusedLayers(): string[] {
    const used = new Set(this.list().flatMap((volume) => volume.layers));
    const unused = this.layers().filter((layer) => !used.has(layer.id));
    for (const { id } of unused) this.#database.run('DELETE FROM volume_layers WHERE id = ?', id);
    return unused.map((layer) => layer.id);
  }

  /** Gives an unused volume another name; the move on disk is owed until {@link VolumeRecords.settleMove}. */
  rename(oldName: string, newName: string): void {
    this.#database.transaction(() => {
      this.#database.run('UPDATE volume_volumes SET name = ? WHERE name = ?', newName, oldName);
      this.#database.run('UPDATE volume_layers SET origin = ? WHERE origin = ?', newName, oldName);
      this.#database.run('INSERT OR REPLACE INTO volume_moves VALUES (?, ?)', oldName, newName);
    });
  }

  /** Moves on disk that are owed. */
  moves(): { readonly old_name: string; readonly new_name: string }[] {
    return this.#database.all('SELECT * FROM volume_moves');
  }

  settleMove(oldName: string): void {
    this.#database.run('DELETE FROM volume_moves WHERE old_name = ?', oldName);
  }

  /** Records that a volume which others see is being filled from an image. */
  beginCopy(volume: string): void {
    this.#database.run('INSERT OR IGNORE INTO volume_copies VALUES (?)', volume);
  }

  endCopy(volume: string): void {
    this.#database.run('DELETE FROM volume_copies WHERE volume = ?', volume);
  }

  /** True when filling it has begun and not ended. */
  isCopying(volume: string): boolean {
    return this.#database.get('SELECT 1 FROM volume_copies WHERE volume = ?', volume) !== undefined;
  }

  addUser(volume: string, user: string): void {
    this.#database.run('INSERT OR IGNORE INTO volume_users VALUES (?, ?)', volume, user);
  }

  removeUser(user: string): void {
    this.#database.run('DELETE FROM volume_users WHERE user = ?', user);
  }

  users(volume: string): string[] {
    const rows = this.#database.all<{ user: string }>(
      'SELECT user FROM volume_users WHERE volume = ? ORDER BY rowid',
      volume,
    );
    return rows.map((row) => row.user);
  }

  allUsers(): string[] {
    return this.#database.all<{ user: string }>('SELECT DISTINCT user FROM volume_users').map((row) => row.user);
  }
}

function decode(row: Row): VolumeRecord {
  return {
    name: row.name,
    driver: row.driver,
    createdAt: row.created_at,
    labels: JSON.parse(row.labels) as Record<string, string>,
    options: JSON.parse(row.options) as Record<string, string>,
    anonymous: row.anonymous !== 0,
    layers: JSON.parse(row.layers) as string[],
  };
}
