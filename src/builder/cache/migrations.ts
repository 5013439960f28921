import type { Migration } from '#metadata';

/** The builder's tables. */
export const builderMigrations: readonly Migration[] = [
  {
    room: 'builder',
    version: 1,
    sql: `
      CREATE TABLE builder_results (
        key TEXT PRIMARY KEY,
        description TEXT NOT NULL,
        chain_id TEXT,
        layer TEXT,
        size INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER NOT NULL,
        usage_count INTEGER NOT NULL
      );
      CREATE INDEX builder_results_chain ON builder_results (chain_id);
      CREATE TABLE builder_contents (
        key TEXT PRIMARY KEY,
        chain_id TEXT NOT NULL,
        label TEXT NOT NULL
      );
      CREATE INDEX builder_contents_chain ON builder_contents (chain_id);
    `,
  },
];
