import type { RegistryRecords } from '../records/records.ts';
import { PostgresBlobs } from './postgres-blobs.ts';
import { PostgresCache } from './postgres-cache.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { PostgresEvents } from './postgres-events.ts';
import { PostgresGarbage } from './postgres-garbage.ts';
import { PostgresLists } from './postgres-lists.ts';
import { PostgresManifests } from './postgres-manifests.ts';
import { PostgresUploads } from './postgres-uploads.ts';

/** The records in PostgreSQL, for any number of servers at the same time. */
export function createPostgresRecords(database: PostgresDatabase): RegistryRecords {
  return {
    blobs: new PostgresBlobs(database),
    manifests: new PostgresManifests(database),
    lists: new PostgresLists(database),
    uploads: new PostgresUploads(database),
    garbage: new PostgresGarbage(database),
    cache: new PostgresCache(database),
    events: new PostgresEvents(database),
  };
}
