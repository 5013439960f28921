import type { Digest } from '#base';
import type { ManifestTarget } from '../names.ts';
import { missingReferences } from '../records/missing-references.ts';
import type {
  ManifestRecords,
  NewManifest,
  Reference,
  RegistryEvent,
  StoredManifest,
  WriteTerms,
} from '../records/records.ts';
import type { PostgresDatabase, PostgresSession } from './postgres-database.ts';
import { addEvent, ensureRepository, lockRepository, settle } from './postgres-terms.ts';

interface ManifestRow {
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
  readonly bytes: Buffer;
}

/** Manifests and tags, in PostgreSQL. */
export class PostgresManifests implements ManifestRecords {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async findManifest(repository: string, target: ManifestTarget): Promise<StoredManifest | undefined> {
    const select = `SELECT m.digest, m.media_type, m.size, m.bytes FROM registry_repositories r
      JOIN registry_manifests m ON m.repository = r.id`;
    const row =
      'digest' in target
        ? await this.#database.get<ManifestRow>(
            `${select} WHERE r.name = $1 AND m.digest = $2`,
            repository,
            target.digest,
          )
        : await this.#database.get<ManifestRow>(
            `${select} JOIN registry_tags t ON t.repository = r.id AND t.digest = m.digest
              WHERE r.name = $1 AND t.name = $2`,
            repository,
            target.tag,
          );
    return row && { digest: row.digest, mediaType: row.media_type, size: row.size, bytes: row.bytes };
  }

  async tagCheckedAt(repository: string, tag: string): Promise<number | undefined> {
    const row = await this.#database.get<{ checked_at: number }>(
      `SELECT t.checked_at FROM registry_tags t JOIN registry_repositories r ON r.id = t.repository
        WHERE r.name = $1 AND t.name = $2`,
      repository,
      tag,
    );
    return row?.checked_at;
  }

  async putManifest(
    repository: string,
    manifest: NewManifest,
    options: WriteTerms & { tag?: string | undefined; requireReferences: boolean },
  ): Promise<void> {
    await this.#database.transaction(async (session) => {
      const id = await ensureRepository(session, repository);
      if (options.requireReferences) await requireAll(session, id, manifest.references);
      await store(session, id, manifest);
      if (options.tag !== undefined) {
        await session.run(
          `INSERT INTO registry_tags VALUES ($1, $2, $3, $4) ON CONFLICT (repository, name)
            DO UPDATE SET digest = excluded.digest, checked_at = excluded.checked_at`,
          id,
          options.tag,
          manifest.digest,
          Date.now(),
        );
      }
      await settle(session, options);
    });
  }

  async deleteManifest(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean> {
    // Tags and references go with it (ON DELETE CASCADE).
    return this.#delete(repository, { from: 'registry_manifests', key: 'digest', value: digest, event });
  }

  async deleteTag(repository: string, tag: string, event?: RegistryEvent): Promise<boolean> {
    return this.#delete(repository, { from: 'registry_tags', key: 'name', value: tag, event });
  }

  async #delete(
    repository: string,
    row: { from: string; key: string; value: string; event: RegistryEvent | undefined },
  ): Promise<boolean> {
    return this.#database.transaction(async (session) => {
      const id = await lockRepository(session, repository);
      if (id === undefined) return false;
      const changes = await session.run(
        `DELETE FROM ${row.from} WHERE repository = $1 AND ${row.key} = $2`,
        id,
        row.value,
      );
      if (changes > 0) await addEvent(session, row.event);
      return changes > 0;
    });
  }
}

async function requireAll(session: PostgresSession, repository: number, references: readonly Reference[]) {
  const present = async (table: string) => {
    const rows = await session.all<{ digest: string }>(
      `SELECT digest FROM ${table} WHERE repository = $1 AND digest = ANY($2)`,
      repository,
      references.map(({ digest }) => digest),
    );
    return new Set(rows.map(({ digest }) => digest));
  };
  const blobs = await present('registry_links');
  const manifests = await present('registry_manifests');
  const has = ({ kind, digest }: Reference) =>
    (kind !== 'manifest' && blobs.has(digest)) || (kind !== 'blob' && manifests.has(digest));
  const missing = references.filter((reference) => !has(reference));
  if (missing.length > 0) throw missingReferences(missing);
}

async function store(session: PostgresSession, repository: number, manifest: NewManifest): Promise<void> {
  const { digest, annotations, references } = manifest;
  await session.run(
    `INSERT INTO registry_manifests VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (repository, digest)
      DO UPDATE SET media_type = excluded.media_type, pushed_at = excluded.pushed_at`,
    repository,
    digest,
    manifest.mediaType,
    manifest.size,
    manifest.artifactType ?? null,
    annotations === undefined ? null : JSON.stringify(annotations),
    manifest.subject ?? null,
    Date.now(),
    manifest.bytes,
  );
  await session.run(
    'INSERT INTO registry_references SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING',
    repository,
    digest,
    references.map((reference) => reference.digest),
  );
}
