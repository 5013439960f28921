import type { Migration } from '#metadata';

/** Tables of the network room. */
export const networkMigrations: readonly Migration[] = [
  {
    room: 'network',
    version: 1,
    sql: `
      CREATE TABLE network_networks (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        user_subnet INTEGER NOT NULL,
        record TEXT NOT NULL
      );
      CREATE TABLE network_addresses (
        network_id TEXT NOT NULL REFERENCES network_networks (id) ON DELETE CASCADE,
        address TEXT NOT NULL,
        owner TEXT NOT NULL,
        PRIMARY KEY (network_id, address)
      ) WITHOUT ROWID;
      CREATE INDEX network_addresses_owner ON network_addresses (owner);
      CREATE TABLE network_sandboxes (
        owner TEXT PRIMARY KEY,
        record TEXT NOT NULL
      );
    `,
  },
];
