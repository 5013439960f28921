import type { Digest } from '#base';
import type { Database } from '#metadata';
import type { ManifestTarget } from '../names.ts';
import { missingReferences } from './missing-references.ts';
import type { ManifestRecords, NewManifest, Reference, RegistryEvent, StoredManifest, WriteTerms } from './records.ts';
import { addEvent, ensureRepository, repositoryId, settle } from './sqlite-terms.ts';

interface ManifestRow {
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** Manifests and tags, in SQLite. */
export class SqliteManifests implements ManifestRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async findManifest(repository: string, target: ManifestTarget): Promise<StoredManifest | undefined> {
    const select = `SELECT m.digest, m.media_type, m.size, d.bytes FROM registry_repositories r
      JOIN registry_manifests m ON m.repository = r.id JOIN registry_documents d ON d.digest = m.digest`;
    const row =
      'digest' in target
        ? this.#database.get<ManifestRow>(`${select} WHERE r.name = ? AND m.digest = ?`, repository, target.digest)
        : this.#database.get<ManifestRow>(
            `${select} JOIN registry_tags t ON t.repository = r.id AND t.digest = m.digest
              WHERE r.name = ? AND t.name = ?`,
            repository,
            target.tag,
          );
    return row && { digest: row.digest, mediaType: row.media_type, size: row.size, bytes: Buffer.from(row.bytes) };
  }

  async tagCheckedAt(repository: string, tag: string): Promise<number | undefined> {
    return this.#database.get<{ checked_at: number }>(
      `SELECT t.checked_at FROM registry_tags t JOIN registry_repositories r ON r.id = t.repository
        WHERE r.name = ? AND t.name = ?`,
      repository,
      tag,
    )?.checked_at;
  }

  async putManifest(
    repository: string,
    manifest: NewManifest,
    options: WriteTerms & { tag?: string | undefined; requireReferences: boolean },
  ): Promise<void> {
    this.#database.transaction(() => {
      const id = ensureRepository(this.#database, repository);
      if (options.requireReferences) this.#requireAll(id, manifest.references);
      this.#store(id, manifest);
      if (options.tag !== undefined) {
        this.#database.run(
          `INSERT INTO registry_tags VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET digest = excluded.digest, checked_at = excluded.checked_at`,
          id,
          options.tag,
          manifest.digest,
          Date.now(),
        );
      }
      settle(this.#database, options);
    });
  }

  async deleteManifest(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean> {
    return this.#database.transaction(() => {
      const id = repositoryId(this.#database, repository);
      if (id === undefined) return false;
      // Tags and references go with it (ON DELETE CASCADE), the bytes by a trigger.
      const { changes } = this.#database.run(
        'DELETE FROM registry_manifests WHERE repository = ? AND digest = ?',
        id,
        digest,
      );
      if (changes > 0) addEvent(this.#database, event);
      return changes > 0;
    });
  }

  async deleteTag(repository: string, tag: string, event?: RegistryEvent): Promise<boolean> {
    return this.#database.transaction(() => {
      const id = repositoryId(this.#database, repository);
      if (id === undefined) return false;
      const { changes } = this.#database.run('DELETE FROM registry_tags WHERE repository = ? AND name = ?', id, tag);
      if (changes > 0) addEvent(this.#database, event);
      return changes > 0;
    });
  }

  #requireAll(repository: number, references: readonly Reference[]): void {
    const hasBlob = ({ digest }: Reference) =>
      this.#database.get('SELECT 1 FROM registry_links WHERE repository = ? AND digest = ?', repository, digest);
    const hasManifest = ({ digest }: Reference) =>
      this.#database.get('SELECT 1 FROM registry_manifests WHERE repository = ? AND digest = ?', repository, digest);
    const present = {
      blob: hasBlob,
      manifest: hasManifest,
      either: (reference: Reference) => hasManifest(reference) ?? hasBlob(reference),
    };
    const missing = references.filter((reference) => present[reference.kind](reference) === undefined);
    if (missing.length > 0) throw missingReferences(missing);
  }

  #store(repository: number, manifest: NewManifest): void {
    const { digest, annotations } = manifest;
    this.#database.run('INSERT INTO registry_documents VALUES (?, ?) ON CONFLICT DO NOTHING', digest, manifest.bytes);
    this.#database.run(
      `INSERT INTO registry_manifests VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET media_type = excluded.media_type, pushed_at = excluded.pushed_at`,
      repository,
      digest,
      manifest.mediaType,
      manifest.size,
      manifest.artifactType ?? null,
      annotations === undefined ? null : JSON.stringify(annotations),
      manifest.subject ?? null,
      Date.now(),
    );
    for (const reference of manifest.references) {
      this.#database.run(
        'INSERT INTO registry_references VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        repository,
        digest,
        reference.digest,
      );
    }
  }
}
