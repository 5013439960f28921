import type { Database } from '#metadata';
import type { RegistryRecords } from './records.ts';
import { SqliteBlobs } from './sqlite-blobs.ts';
import { SqliteCache } from './sqlite-cache.ts';
import { SqliteEvents } from './sqlite-events.ts';
import { SqliteGarbage } from './sqlite-garbage.ts';
import { SqliteLists } from './sqlite-lists.ts';
import { SqliteManifests } from './sqlite-manifests.ts';
import { SqliteUploads } from './sqlite-uploads.ts';

/** The records in SQLite tables (`registryMigrations`). */
export function createSqliteRecords(database: Database): RegistryRecords {
  return {
    blobs: new SqliteBlobs(database),
    manifests: new SqliteManifests(database),
    lists: new SqliteLists(database),
    uploads: new SqliteUploads(database),
    garbage: new SqliteGarbage(database),
    cache: new SqliteCache(database),
    events: new SqliteEvents(database),
  };
}
