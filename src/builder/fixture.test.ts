import { execFileSync } from 'node:child_process';
import { existsSync, rmdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type Archiver, createArchiver } from '#archive';
import { type Digest, notFound, silentLogger } from '#base';
import { type ContentStore, openContentStore } from '#content';
import { createMounts, createProcesses, detectCgroups } from '#host';
import { createImageStore, type Image, type ImageStore, imageMigrations } from '#image';
import { type Database, openDatabase } from '#metadata';
import type { RegistryClient } from '#registry-client';
import { createRuntime } from '#runtime';
import { createOverlaySnapshotter, type Snapshotter, snapshotMigrations } from '#snapshot';
import { makeBusyboxRoot } from '#testkit';
import type { BuildEvent, BuildRequest } from './builder.ts';
import { builderMigrations } from './cache/migrations.ts';
import { type BuilderInstance, createBuilder } from './create-builder.ts';

/** What a test build gave. */
export interface TestBuild {
  readonly imageId: Digest;
  readonly image: Image;
  readonly events: readonly BuildEvent[];
  /** All output of RUN steps. */
  readonly output: string;
  /** Numbers of the steps that came from the cache. */
  readonly cached: readonly number[];
}

/** A builder with real snapshots, runtime and archiver on a temporary directory, and `busybox` in its store. */
export class BuilderFixture {
  readonly directory: string;
  readonly images: ImageStore;
  readonly snapshots: Snapshotter;
  readonly builder: BuilderInstance;
  readonly #content: ContentStore;
  readonly #archiver: Archiver;
  readonly #database: Database;

  private constructor(parts: {
    directory: string;
    images: ImageStore;
    content: ContentStore;
    snapshots: Snapshotter;
    builder: BuilderInstance;
    archiver: Archiver;
    database: Database;
  }) {
    this.directory = parts.directory;
    this.images = parts.images;
    this.#content = parts.content;
    this.snapshots = parts.snapshots;
    this.builder = parts.builder;
    this.#archiver = parts.archiver;
    this.#database = parts.database;
  }

  static async create(): Promise<BuilderFixture> {
    const directory = await mkdtemp('/tmp/builder-test-');
    const database = openDatabase(join(directory, 'berth.db'), [
      ...snapshotMigrations,
      ...imageMigrations,
      ...builderMigrations,
    ]);
    const mounts = createMounts();
    const processes = createProcesses();
    const archiver = createArchiver();
    const snapshots = await createOverlaySnapshotter({
      database,
      root: join(directory, 'snapshots'),
      mounts,
      processes,
    });
    const content = await openContentStore({ root: join(directory, 'content') });
    const scratch = join(directory, 'scratch');
    const images = await createImageStore({ database, content, snapshots, archiver, registry: noRegistry, scratch });
    const runtime = await createRuntime({ execRoot: join(directory, 'exec'), processes, logger: silentLogger });
    const files = { hostsFile: '127.0.0.1 localhost\n', resolvConf: 'nameserver 127.0.0.1\n' };
    const networks = { open: async () => ({ netnsPath: undefined, ...files, close: async () => {} }) };
    const builder = createBuilder({
      database,
      images,
      snapshots,
      archiver,
      runtime,
      networks,
      mounts,
      logger: silentLogger,
      dataDirectory: join(directory, 'builder'),
      runDirectory: join(directory, 'exec', 'builder'),
      cgroupParent: cgroupOf(directory),
    });
    const fixture = new BuilderFixture({ directory, images, content, snapshots, builder, archiver, database });
    await fixture.#addBusybox();
    return fixture;
  }

  /** Builds a context of these files; `Dockerfile` is one of them. */
  async build(
    files: Readonly<Record<string, string | Buffer>>,
    options: Partial<BuildRequest> = {},
  ): Promise<TestBuild> {
    const events: BuildEvent[] = [];
    const request = { ...this.request(await this.context(files)), ...options };
    const onEvent = (event: BuildEvent) => {
      events.push(event);
      options.onEvent?.(event);
    };
    const { imageId } = await this.builder.build({ ...request, onEvent });
    const output = events.flatMap((event) => (event.kind === 'step-output' ? [event.data.toString()] : [])).join('');
    const cached = events.flatMap((event) => (event.kind === 'step-done' && event.cached ? [event.step] : []));
    return { imageId, image: await this.images.get(imageId), events, output, cached };
  }

  /** A tar of these files, modes 0644, times fixed. Names that end in a slash are directories. */
  async context(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
    const directory = await mkdtemp(join(this.directory, 'context-'));
    for (const [name, content] of Object.entries(files)) {
      const path = join(directory, name);
      await mkdir(name.endsWith('/') ? path : dirname(path), { recursive: true });
      if (!name.endsWith('/')) await writeFile(path, content);
    }
    const tar = execFileSync('tar', ['-c', '--owner=77', '--group=77', '-C', directory, '.'], { maxBuffer: 1 << 28 });
    await rm(directory, { recursive: true });
    return tar;
  }

  request(context: Buffer): BuildRequest {
    return {
      context: Readable.from([context]),
      dockerfile: 'Dockerfile',
      tags: [],
      buildArgs: {},
      labels: {},
      noCache: false,
      pull: false,
      networkMode: 'default',
      extraHosts: [],
      cacheFrom: [],
      squash: false,
      credentials: {},
      signal: new AbortController().signal,
      onEvent: () => {},
    };
  }

  /** The entries of the layer at `index` (from the end where negative), as tar(1) lists them. */
  listLayer(image: Image, index: number): string[] {
    const layer = image.layers.at(index);
    if (layer === undefined) return [];
    const file = this.#content.pathOf(layer.digest);
    const text = execFileSync('tar', ['--numeric-owner', '-tvf', file], { encoding: 'utf8' });
    return text.trim().split('\n').filter(Boolean);
  }

  /** What a build must never leave: mounts, working snapshots, directories. */
  async leftovers(): Promise<string[]> {
    const mounts = (await createMounts().list()).filter((entry) => entry.target.startsWith(this.directory));
    const active = (await this.snapshots.list()).filter((snapshot) => snapshot.kind === 'active');
    const directories = await Promise.all(
      ['builder/builds', 'exec/builder', 'exec/once'].map((name) =>
        readdir(join(this.directory, name)).catch(() => []),
      ),
    );
    return [...mounts.map((entry) => entry.target), ...active.map((snapshot) => snapshot.key), ...directories.flat()];
  }

  async dispose(): Promise<void> {
    await this.builder.close();
    await this.#archiver.close();
    this.#database.close();
    await rm(this.directory, { recursive: true, force: true });
    for (const { mountpoint } of (await detectCgroups()).hierarchies) {
      if (existsSync(`${mountpoint}${this.cgroup}`)) rmdirSync(`${mountpoint}${this.cgroup}`);
    }
  }

  /** The cgroup that containers go below. */
  get cgroup(): string {
    return cgroupOf(this.directory);
  }

  async #addBusybox(): Promise<void> {
    const root = join(this.directory, 'busybox');
    makeBusyboxRoot(root);
    const tar = execFileSync('tar', ['-c', '-C', root, '.'], { maxBuffer: 1 << 28 });
    const config = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] };
    await this.images.import(Readable.from([tar]), { target: 'busybox:latest', config });
  }
}

const cgroupOf = (directory: string) => `/berth-${basename(directory)}`;

/** Stands where no registry is reached: nothing can be pulled. */
const noRegistry = new Proxy({} as RegistryClient, {
  get: () => () => {
    throw notFound('no registry in this test');
  },
});
