import { currentActor, type Digest } from '#base';
import type { Database, Migration, SqlValue } from '#metadata';
import type { Descriptor, ImageConfig } from '#oci';
import type { Image } from './image.ts';

/** Tables of this room. */
export const imageMigrations: readonly Migration[] = [
  {
    room: 'image',
    version: 1,
    sql: `CREATE TABLE image_images (
            id TEXT PRIMARY KEY,
            manifest TEXT NOT NULL,
            config TEXT NOT NULL,
            layers TEXT NOT NULL,
            size INTEGER NOT NULL,
            parent TEXT,
            tagged_at INTEGER NOT NULL DEFAULT 0
          ) STRICT;
          CREATE INDEX image_images_parent ON image_images (parent);
          CREATE TABLE image_tags (
            name TEXT PRIMARY KEY,
            image TEXT NOT NULL REFERENCES image_images (id)
          ) STRICT;
          CREATE INDEX image_tags_image ON image_tags (image);
          CREATE TABLE image_digests (
            name TEXT PRIMARY KEY,
            image TEXT NOT NULL REFERENCES image_images (id)
          ) STRICT;
          CREATE INDEX image_digests_image ON image_digests (image);
          CREATE TABLE image_tag_log (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            image TEXT,
            manifest TEXT,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL
          ) STRICT;
          CREATE INDEX image_tag_log_name ON image_tag_log (name, sequence);
          CREATE TABLE image_layers (
            chain TEXT PRIMARY KEY,
            diff_id TEXT NOT NULL,
            descriptor TEXT NOT NULL
          ) STRICT;
          CREATE TABLE image_compressed (
            diff_id TEXT PRIMARY KEY,
            descriptor TEXT NOT NULL
          ) STRICT;`,
  },
];

/** Lines that a tag's log keeps: a tag that is rebuilt every minute must not fill the disk. */
const longestLog = 500;

/** A record to be written: the parts of an {@link Image} that do not follow from its names. */
export type NewImage = Omit<Image, 'tags' | 'repoDigests' | 'lastTaggedAt'>;

/** One line of a tag's log, newest first: what it pointed to from `at` (ms) on; undefined when it was removed. */
export interface TagLogEntry {
  readonly image: Digest | undefined;
  readonly manifest: Digest | undefined;
  readonly at: number;
  /** Who did it: the JSON of an Actor. */
  readonly actor: string;
}

interface Row {
  readonly id: Digest;
  readonly manifest: Digest;
  readonly config: string;
  readonly layers: string;
  readonly size: number;
  readonly parent: Digest | null;
  readonly tagged_at: number;
}

/** The image tables. Calls are synchronous and durable when they return. */
export class ImageRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  transaction<T>(body: () => T): T {
    return this.#database.transaction(body);
  }

  byId(id: Digest): Image | undefined {
    return this.#one('SELECT * FROM image_images WHERE id = ?', id);
  }

  /** By canonical name with tag. */
  byTag(name: string): Image | undefined {
    return this.#one('SELECT i.* FROM image_images i JOIN image_tags t ON t.image = i.id WHERE t.name = ?', name);
  }

  /** By canonical name with digest. */
  byRepoDigest(name: string): Image | undefined {
    return this.#one('SELECT i.* FROM image_images i JOIN image_digests d ON d.image = i.id WHERE d.name = ?', name);
  }

  /** By the digest of its manifest. */
  byManifest(digest: Digest): Image | undefined {
    return this.#one('SELECT * FROM image_images WHERE manifest = ? LIMIT 1', digest);
  }

  /** Images whose id begins with the hex digits `prefix`; at most two, which is one too many. */
  byPrefix(prefix: string): Image[] {
    const rows = this.#database.all<Row>(
      'SELECT * FROM image_images WHERE id >= ? AND id < ? LIMIT 2',
      `sha256:${prefix}`,
      `sha256:${prefix}g`,
    );
    return rows.map((row) => this.#image(row));
  }

  list(): Image[] {
    return this.#database.all<Row>('SELECT * FROM image_images').map((row) => this.#image(row));
  }

  /** True when an image names the blob as its config, manifest or layer. */
  usesBlob(digest: Digest): boolean {
    const sql = 'SELECT 1 FROM image_images WHERE id = ?1 OR manifest = ?1 OR instr(layers, ?1) > 0 LIMIT 1';
    return this.#database.get(sql, digest) !== undefined;
  }

  children(id: Digest): Digest[] {
    const rows = this.#database.all<{ id: Digest }>('SELECT id FROM image_images WHERE parent = ?', id);
    return rows.map((row) => row.id);
  }

  /** Canonical names with tags of the repository `name`, for instance `docker.io/library/debian`. */
  tagsOf(name: string): string[] {
    const rows = this.#database.all<{ name: string }>(
      'SELECT name FROM image_tags WHERE name >= ? AND name < ? ORDER BY name',
      `${name}:`,
      `${name};`,
    );
    return rows.map((row) => row.name);
  }

  /** Writes the record. One that is there keeps its manifest unless `replace`; its parent stays known. */
  put(image: NewImage, options: { replace?: boolean } = {}): void {
    this.#database.run(
      `INSERT INTO image_images (id, manifest, config, layers, size, parent) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET parent = coalesce(parent, excluded.parent)${
         options.replace ? ', manifest = excluded.manifest, layers = excluded.layers, size = excluded.size' : ''
}`,
      image.id,
      image.manifestDigest,
      JSON.stringify(image.config),
      JSON.stringify(image.layers),
      image.size,
      image.parent ?? null,
    );
  }

  delete(id: Digest): void {
    this.#database.run('DELETE FROM image_images WHERE id = ?', id);
  }

  /** Puts the tag on the image, taking it from another; logs it unless it is there already. */
  setTag(name: string, image: Pick<Image, 'id' | 'manifestDigest'>): void {
    const at = Date.now();
    this.transaction(() => {
      const before = this.byTag(name);
      this.#database.run('UPDATE image_images SET tagged_at = ? WHERE id = ?', at, image.id);
      if (before?.id === image.id && before.manifestDigest === image.manifestDigest) return;
      this.#database.run(
        'INSERT INTO image_tags (name, image) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image',
        name,
        image.id,
      );
      this.#log(name, image.id, image.manifestDigest, at);
    });
  }

  removeTag(name: string): void {
    this.transaction(() => {
      const { changes } = this.#database.run('DELETE FROM image_tags WHERE name = ?', name);
      if (changes > 0) this.#log(name, null, null, Date.now());
    });
  }

  setRepoDigest(name: string, id: Digest): void {
    this.#database.run(
      'INSERT INTO image_digests (name, image) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image',
      name,
      id,
    );
  }

  removeRepoDigest(name: string): void {
    this.#database.run('DELETE FROM image_digests WHERE name = ?', name);
  }

  /** What the tag pointed to, newest first. */
  tagLog(name: string): TagLogEntry[] {
    const rows = this.#database.all<{ image: Digest | null; manifest: Digest | null; at: number; actor: string }>(
      'SELECT image, manifest, at, actor FROM image_tag_log WHERE name = ? ORDER BY sequence DESC',
      name,
    );
    return rows.map((row) => ({ ...row, image: row.image ?? undefined, manifest: row.manifest ?? undefined }));
  }

  /** Images among the newest `count` different ones that each present tag pointed to. */
  recentVersions(count: number): Set<Digest> {
    const rows = this.#database.all<{ image: Digest }>(
      `SELECT image FROM (
         SELECT image, row_number() OVER (PARTITION BY name ORDER BY max(sequence) DESC) AS age FROM image_tag_log
         WHERE image IS NOT NULL AND name IN (SELECT name FROM image_tags) GROUP BY name, image)
       WHERE age <= ?`,
      count,
    );
    return new Set(rows.map((row) => row.image));
  }

  /** Remembers which blob holds the top layer of a chain. */
  putLayer(chain: Digest, diffId: Digest, descriptor: Descriptor): void {
    this.#database.run(
      `INSERT INTO image_layers VALUES (?, ?, ?) ON CONFLICT (chain) DO UPDATE SET descriptor = excluded.descriptor`,
      chain,
      diffId,
      JSON.stringify(descriptor),
    );
  }

  layer(chain: string): Descriptor | undefined {
    const row = this.#database.get<{ descriptor: string }>(
      'SELECT descriptor FROM image_layers WHERE chain = ?',
      chain,
    );
    return row === undefined ? undefined : (JSON.parse(row.descriptor) as Descriptor);
  }

  deleteLayer(chain: string): void {
    this.#database.run('DELETE FROM image_layers WHERE chain = ?', chain);
  }

  /** The compressed form that an uncompressed layer was pushed in. */
  compressed(diffId: Digest): Descriptor | undefined {
    const row = this.#database.get<{ descriptor: string }>(
      'SELECT descriptor FROM image_compressed WHERE diff_id = ?',
      diffId,
    );
    return row === undefined ? undefined : (JSON.parse(row.descriptor) as Descriptor);
  }

  setCompressed(diffId: Digest, descriptor: Descriptor): void {
    this.#database.run(
      `INSERT INTO image_compressed VALUES (?, ?) ON CONFLICT (diff_id) DO UPDATE SET descriptor = excluded.descriptor`,
      diffId,
      JSON.stringify(descriptor),
    );
  }

  #one(sql: string, ...values: SqlValue[]): Image | undefined {
    const row = this.#database.get<Row>(sql, ...values);
    return row === undefined ? undefined : this.#image(row);
  }

  #image(row: Row): Image {
    const names = (table: string) =>
      this.#database
        .all<{ name: string }>(`SELECT name FROM ${table} WHERE image = ? ORDER BY name`, row.id)
        .map((found) => found.name);
    return {
      id: row.id,
      manifestDigest: row.manifest,
      config: JSON.parse(row.config) as ImageConfig,
      layers: JSON.parse(row.layers) as Descriptor[],
      tags: names('image_tags'),
      repoDigests: names('image_digests'),
      size: row.size,
      parent: row.parent ?? undefined,
      lastTaggedAt: row.tagged_at,
    };
  }

  #log(name: string, image: Digest | null, manifest: Digest | null, at: number): void {
    this.#database.run(
      'INSERT INTO image_tag_log (name, image, manifest, at, actor) VALUES (?, ?, ?, ?, ?)',
      name,
      image,
      manifest,
      at,
      JSON.stringify(currentActor()),
    );
    this.#database.run(
      `DELETE FROM image_tag_log WHERE name = ?1 AND sequence <= (
         SELECT sequence FROM image_tag_log WHERE name = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)`,
      name,
      longestLog,
    );
  }
}
