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
];

/** A volume as recorded; its mountpoint is the driver's to know. */
export type VolumeRecord = Omit<Volume, 'mountpoint'>;

interface Row {
  name: string;
  driver: string;
  created_at: number;
  labels: string;
  options: string;
  anonymous: number;
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
      'INSERT INTO volume_volumes VALUES (?, ?, ?, ?, ?, ?)',
      volume.name,
      volume.driver,
      volume.createdAt,
      JSON.stringify(volume.labels),
      JSON.stringify(volume.options),
      volume.anonymous ? 1 : 0,
    );
  }

  delete(name: string): void {
    this.#database.run('DELETE FROM volume_volumes WHERE name = ?', name);
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
  };
}
