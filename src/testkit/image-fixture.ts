import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Archiver, createArchiver } from '#archive';
import { type ContentStore, openContentStore } from '#content';
import { createMounts, createProcesses } from '#host';
import { createImageStore, type ImageStoreOptions, imageMigrations, type LocalImageStore } from '#image';
import { type Database, openDatabase } from '#metadata';
import type { RegistryClient } from '#registry-client';
import { createOverlaySnapshotter, type Snapshotter, snapshotMigrations } from '#snapshot';

/** An image store with real rooms below it, in a directory of its own. Dispose it. */
export class ImageFixture implements AsyncDisposable {
  readonly directory: string;
  readonly database: Database;
  readonly archiver: Archiver;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: LocalImageStore;

  private constructor(
    parts: Pick<ImageFixture, 'directory' | 'database' | 'content' | 'snapshots'>,
    images: LocalImageStore,
    archiver: Archiver,
  ) {
    this.directory = parts.directory;
    this.database = parts.database;
    this.content = parts.content;
    this.snapshots = parts.snapshots;
    this.images = images;
    this.archiver = archiver;
  }

  /** Opens one; `registry` answers pulls and pushes. */
  static async open(
    options: { registry?: RegistryClient } & Pick<ImageStoreOptions, 'keepSnapshots' | 'keepVersions' | 'onEvent'> = {},
  ): Promise<ImageFixture> {
    const directory = mkdtempSync(join(tmpdir(), 'berth-image-'));
    const database = openDatabase(':memory:', [...snapshotMigrations, ...imageMigrations]);
    const content = await openContentStore({ root: join(directory, 'content') });
    const snapshots = await createOverlaySnapshotter({
      database,
      root: join(directory, 'snapshots'),
      mounts: createMounts(),
      processes: createProcesses(),
    });
    const archiver = createArchiver();
    const images = await createImageStore({
      database,
      content,
      snapshots,
      archiver,
      scratch: join(directory, 'scratch'),
      ...options,
      registry: options.registry ?? noRegistry,
    });
    return new ImageFixture({ directory, database, content, snapshots }, images, archiver);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.archiver.close();
    this.database.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const noRegistry: RegistryClient = {
  repository: () => {
    throw new Error('this test has no registry');
  },
  login: async () => ({}),
  async *catalog() {},
  close() {},
};
