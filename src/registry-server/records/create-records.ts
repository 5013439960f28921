import type { RegistryRecords } from './records.ts';
import { SqlBlobs } from './sql-blobs.ts';
import { SqlCache } from './sql-cache.ts';
import type { SqlDatabase } from './sql-database.ts';
import { SqlEvents } from './sql-events.ts';
import { SqlGarbage } from './sql-garbage.ts';
import { SqlLists } from './sql-lists.ts';
import { SqlManifests } from './sql-manifests.ts';
import { SqlUploads } from './sql-uploads.ts';

/** The records in the tables of a database. */
export function createRecords(database: SqlDatabase): RegistryRecords {
  return {
    blobs: new SqlBlobs(database),
    manifests: new SqlManifests(database),
    lists: new SqlLists(database),
    uploads: new SqlUploads(database),
    garbage: new SqlGarbage(database),
    cache: new SqlCache(database),
    events: new SqlEvents(database),
  };
}
