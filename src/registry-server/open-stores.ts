import { join } from 'node:path';
import { invalid, type Logger } from '#base';
import { openContentStore } from '#content';
import { openDatabase } from '#metadata';
import { type RegistryConfig, readNamedFile } from './config.ts';
import type { Locks } from './locks.ts';
import { PostgresDatabase } from './postgres/postgres-database.ts';
import { PostgresLocks } from './postgres/postgres-locks.ts';
import { createRecords } from './records/create-records.ts';
import type { RegistryRecords } from './records/records.ts';
import { S3Bucket } from './s3/s3-bucket.ts';
import { S3Storage } from './s3/s3-storage.ts';
import { registryMigrations } from './sqlite/schema.ts';
import { createSqliteRecords } from './sqlite/sqlite-records.ts';
import type { BlobStorage } from './store/blob-storage.ts';
import { defaultUploadLifetime } from './store/uploads.ts';

/** Bytes of an S3 part, which a write holds in memory; at most 10,000 make a blob. */
const defaultPartSize = 8 * 1024 * 1024;

/** What a registry keeps things in. */
export interface Stores {
  readonly storage: BlobStorage;
  readonly records: RegistryRecords;
  /** Where the records are shared. */
  readonly locks?: Locks;
  close(): Promise<void>;
}

interface OpenRecords {
  readonly records: RegistryRecords;
  readonly locks?: Locks;
  close(): Promise<void>;
}

/** Opens the stores that the config names; those it does not name lie below `data`. Throws `invalid`, `unavailable`. */
export async function openStores(data: string, config: RegistryConfig, logger: Logger): Promise<Stores> {
  const storage = await openStorage(data, config);
  return { storage, ...(await openRecords(data, config.records, logger)) };
}

async function openStorage(data: string, { storage, garbage }: RegistryConfig): Promise<BlobStorage> {
  if (storage === undefined) return openContentStore({ root: join(data, 'content') });
  const { secretKey, secretKeyFile, partSize = defaultPartSize, ...s3 } = storage.s3;
  const secret = secretKeyFile === undefined ? secretKey : readNamedFile(secretKeyFile).trim();
  if (secret === undefined) throw invalid('storage.s3 needs secretKey or secretKeyFile');
  const writeLifetime = garbage?.uploadLifetime ?? defaultUploadLifetime;
  return new S3Storage(await S3Bucket.open({ ...s3, secretKey: secret }), { partSize, writeLifetime });
}

async function openRecords(data: string, settings: RegistryConfig['records'], logger: Logger): Promise<OpenRecords> {
  if (settings === undefined) {
    const database = openDatabase(join(data, 'registry.db'), registryMigrations);
    return { records: createSqliteRecords(database), close: async () => database.close() };
  }
  const url = settings.postgresFile === undefined ? settings.postgres : readNamedFile(settings.postgresFile).trim();
  if (url === undefined) throw invalid('records needs postgres or postgresFile');
  const database = await PostgresDatabase.open(url, logger);
  const locks = new PostgresLocks(url, logger);
  return {
    records: createRecords(database),
    locks,
    async close() {
      await locks.close();
      await database.close();
    },
  };
}
