import type { Digest } from '#base';
import type { ManifestTarget } from '../names.ts';
import { missingReferences } from './missing-references.ts';
import type { ManifestRecords, NewManifest, Reference, RegistryEvent, StoredManifest } from './records.ts';
import type { SqlDatabase } from './sql-database.ts';
import { all, get, run, type SqlSteps } from './sql-steps.ts';
import { addEvent, ensureRepository, lockRepository, settle } from './write-terms.ts';

interface ManifestRow {
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** How a manifest is put. */
type PutOptions = Parameters<ManifestRecords['putManifest']>[2];

/** One row of a repository that goes. */
interface Removal {
  readonly table: 'registry_manifests' | 'registry_tags';
  readonly key: 'digest' | 'name';
  readonly value: string;
  readonly event: RegistryEvent | undefined;
}

/** Manifests and tags, in SQL. */
export class SqlManifests implements ManifestRecords {
  readonly #database: SqlDatabase;
  readonly #findByDigest: string;
  readonly #findByTag: string;

  constructor(database: SqlDatabase) {
    this.#database = database;
    const bytes = database.dialect.sharedDocuments
      ? '(SELECT d.bytes FROM registry_documents d WHERE d.digest = m.digest)'
      : 'm.bytes';
    const select = `SELECT m.digest, m.media_type, m.size, ${bytes} AS bytes
      FROM registry_repositories r JOIN registry_manifests m ON m.repository = r.id`;
    this.#findByDigest = `${select} WHERE r.name = $1 AND m.digest = $2`;
    this.#findByTag = `${select} JOIN registry_tags t ON t.repository = r.id AND t.digest = m.digest
      WHERE r.name = $1 AND t.name = $2`;
  }

  async findManifest(repository: string, target: ManifestTarget): Promise<StoredManifest | undefined> {
    const row = await this.#database.execute(
      'digest' in target
        ? get<ManifestRow>(this.#findByDigest, repository, target.digest)
        : get<ManifestRow>(this.#findByTag, repository, target.tag),
    );
    return row && { digest: row.digest, mediaType: row.media_type, size: row.size, bytes: Buffer.from(row.bytes) };
  }

  async tagCheckedAt(repository: string, tag: string): Promise<number | undefined> {
    const row = await this.#database.execute(
      get<{ checked_at: number }>(
        `SELECT t.checked_at FROM registry_tags t JOIN registry_repositories r ON r.id = t.repository
          WHERE r.name = $1 AND t.name = $2`,
        repository,
        tag,
      ),
    );
    return row?.checked_at;
  }

  async putManifest(repository: string, manifest: NewManifest, options: PutOptions): Promise<void> {
    await this.#database.transaction(() => this.#put(repository, manifest, options));
  }

  async deleteManifest(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean> {
    // Tags and references go with it (ON DELETE CASCADE), bytes that no repository needs by a trigger.
    const removal = { table: 'registry_manifests', key: 'digest', value: digest, event } as const;
    return this.#database.transaction(() => this.#remove(repository, removal));
  }

  async deleteTag(repository: string, tag: string, event?: RegistryEvent): Promise<boolean> {
    const removal = { table: 'registry_tags', key: 'name', value: tag, event } as const;
    return this.#database.transaction(() => this.#remove(repository, removal));
  }

  *#put(repository: string, manifest: NewManifest, options: PutOptions): SqlSteps<void> {
    const id = yield* ensureRepository(this.#database.dialect, repository);
    if (options.requireReferences) yield* this.#requireAll(id, manifest.references);
    yield* this.#store(id, manifest);
    if (options.tag !== undefined) {
      yield* run(
        `INSERT INTO registry_tags VALUES ($1, $2, $3, $4) ON CONFLICT (repository, name)
          DO UPDATE SET digest = excluded.digest, checked_at = excluded.checked_at`,
        id,
        options.tag,
        manifest.digest,
        Date.now(),
      );
    }
    yield* settle(this.#database.dialect, options);
  }

  *#remove(repository: string, { table, key, value, event }: Removal): SqlSteps<boolean> {
    const id = yield* lockRepository(this.#database.dialect, repository);
    if (id === undefined) return false;
    const changes = yield* run(`DELETE FROM ${table} WHERE repository = $1 AND ${key} = $2`, id, value);
    if (changes > 0) yield* addEvent(this.#database.dialect, event);
    return changes > 0;
  }

  *#requireAll(repository: number, references: readonly Reference[]): SqlSteps<void> {
    const digests = references.map(({ digest }) => digest);
    const blobs = yield* this.#present('registry_links', repository, digests);
    const manifests = yield* this.#present('registry_manifests', repository, digests);
    const has = ({ kind, digest }: Reference) =>
      (kind !== 'manifest' && blobs.has(digest)) || (kind !== 'blob' && manifests.has(digest));
    const missing = references.filter((reference) => !has(reference));
    if (missing.length > 0) throw missingReferences(missing);
  }

  /** Those of the digests that a table has in the repository. */
  *#present(table: string, repository: number, digests: readonly string[]): SqlSteps<Set<string>> {
    const rows = yield* all<{ digest: string }>(
      `SELECT digest FROM ${table}
        WHERE repository = $1 AND digest IN (SELECT value FROM ${this.#database.dialect.list('$2')})`,
      repository,
      digests,
    );
    return new Set(rows.map(({ digest }) => digest));
  }

  *#store(repository: number, manifest: NewManifest): SqlSteps<void> {
    const { dialect } = this.#database;
    const { digest, annotations, bytes } = manifest;
    if (dialect.sharedDocuments) {
      yield* run('INSERT INTO registry_documents VALUES ($1, $2) ON CONFLICT DO NOTHING', digest, bytes);
    }
    yield* run(
      `INSERT INTO registry_manifests VALUES ($1, $2, $3, $4, $5, $6, $7, $8${dialect.sharedDocuments ? '' : ', $9'})
        ON CONFLICT (repository, digest)
        DO UPDATE SET media_type = excluded.media_type, pushed_at = excluded.pushed_at`,
      repository,
      digest,
      manifest.mediaType,
      manifest.size,
      manifest.artifactType ?? null,
      annotations === undefined ? null : JSON.stringify(annotations),
      manifest.subject ?? null,
      Date.now(),
      ...(dialect.sharedDocuments ? [] : [bytes]),
    );
    // SQLite takes ON CONFLICT for a join's condition where a SELECT has no WHERE (lang_upsert.html, 2.2).
    yield* run(
      `INSERT INTO registry_references SELECT $1, $2, value FROM ${dialect.list('$3')} WHERE true ON CONFLICT DO NOTHING`,
      repository,
      digest,
      manifest.references.map((reference) => reference.digest),
    );
  }
}
