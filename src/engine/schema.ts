import type { Migration } from '#metadata';

/** Tables of this room. Settings and state are JSON: written whole, read whole at start, never queried by column. */
export const engineMigrations: readonly Migration[] = [
  {
    room: 'engine',
    version: 1,
    sql: `
      CREATE TABLE engine_containers (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL, state TEXT NOT NULL);
      CREATE TABLE engine_events (
        time_ns INTEGER PRIMARY KEY, type TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
        attributes TEXT NOT NULL, actor TEXT NOT NULL);`,
  },
  {
    room: 'engine',
    version: 2,
    sql: `
      CREATE TABLE engine_revisions (
        project TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL,
        user TEXT NOT NULL, images TEXT NOT NULL, changes TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (project, number));
      CREATE TABLE engine_kept_logs (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, service TEXT NOT NULL, record TEXT NOT NULL, at INTEGER NOT NULL);`,
  },
];
