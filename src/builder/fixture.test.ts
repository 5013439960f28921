import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type Archiver, createArchiver } from '#archive';
import { type Digest, digestOf, hexOf, newId, notFound, notImplemented, silentLogger } from '#base';
import { createMounts, createProcesses } from '#host';
import type { Image, ImageStore, NewLayer } from '#image';
import { type Database, openDatabase } from '#metadata';
import { canonicalString, type Descriptor, type ImageConfig, mediaTypes, parseReference, withDefaultTag } from '#oci';
import { createRuntime } from '#runtime';
import { createOverlaySnapshotter, type Snapshotter, snapshotMigrations } from '#snapshot';
import { makeBusyboxRoot } from '#testkit';
import type { BuildEvent, BuildRequest } from './builder.ts';
import { chainIds } from './cache/chain-ids.ts';
import { builderMigrations } from './cache/migrations.ts';
import { type BuilderInstance, createBuilder } from './create-builder.ts';

/** An image store in memory whose layers are real snapshots and real layer files. */
class MemoryImages implements Pick<ImageStore, 'get' | 'list' | 'unpack' | 'pull' | 'tag' | 'commitLayer' | 'create'> {
  readonly images = new Map<Digest, Image>();
  readonly #tags = new Map<string, Digest>();
  readonly #snapshots: Snapshotter;
  readonly #archiver: Archiver;
  readonly #blobs: string;

  constructor(snapshots: Snapshotter, archiver: Archiver, blobs: string) {
    this.#snapshots = snapshots;
    this.#archiver = archiver;
    this.#blobs = blobs;
  }

  async get(name: string): Promise<Image> {
    const key = name.startsWith('sha256:') ? name : canonicalString(withDefaultTag(parseReference(name)));
    const image = this.images.get((this.#tags.get(key) ?? key) as Digest);
    if (image === undefined) throw notFound(`No such image: ${name}`);
    return image;
  }

  async list(): Promise<Image[]> {
    return [...this.images.values()];
  }

  async unpack(image: Image): Promise<string | undefined> {
    return chainIds(image.config.rootfs.diff_ids).at(-1);
  }

  async pull(name: string): Promise<Image> {
    throw notFound(`pull access denied for ${name}`);
  }

  async tag(source: string, target: string): Promise<void> {
    this.#tags.set(canonicalString(withDefaultTag(parseReference(target))), (await this.get(source)).id);
  }

  async commitLayer(
    key: string,
    parentChain: string | undefined,
    options: { skipEmpty?: boolean } = {},
  ): Promise<(NewLayer & { chainId: string }) | undefined> {
    const directory = await this.#snapshots.directory(key);
    if (options.skipEmpty && (await readdir(directory)).length === 0) {
      await this.#snapshots.remove(key);
      return undefined;
    }
    const temporary = join(this.#blobs, newId());
    const { diffId, size } = await this.#archiver.diff(directory, temporary);
    await rename(temporary, join(this.#blobs, hexOf(diffId)));
    const chainId = parentChain === undefined ? diffId : digestOf(`${parentChain} ${diffId}`);
    await this.#snapshots.commit(chainId, key);
    return { descriptor: { mediaType: mediaTypes.ociLayer, digest: diffId, size }, diffId, chainId };
  }

  async create(
    config: ImageConfig,
    layers: readonly Descriptor[],
    options: { tags?: readonly string[]; parent?: Digest } = {},
  ): Promise<Image> {
    const id = digestOf(JSON.stringify(config));
    const image: Image = {
      id,
      manifestDigest: id,
      config,
      layers,
      tags: [...(options.tags ?? [])],
      repoDigests: [],
      size: 0,
      parent: options.parent,
      lastTaggedAt: 0,
    };
    this.images.set(id, image);
    for (const tag of options.tags ?? []) await this.tag(id, tag);
    return image;
  }

  /** The listing of a layer's tar, as tar(1) prints it. */
  listLayer(diffId: Digest): string[] {
    const file = join(this.#blobs, hexOf(diffId));
    const text = execFileSync('tar', ['--numeric-owner', '-tvf', file], { encoding: 'utf8' });
    return text.trim().split('\n').filter(Boolean);
  }
}

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
  readonly images: MemoryImages;
  readonly snapshots: Snapshotter;
  readonly builder: BuilderInstance;
  readonly #archiver: Archiver;
  readonly #database: Database;

  private constructor(parts: {
    directory: string;
    images: MemoryImages;
    snapshots: Snapshotter;
    builder: BuilderInstance;
    archiver: Archiver;
    database: Database;
  }) {
    this.directory = parts.directory;
    this.images = parts.images;
    this.snapshots = parts.snapshots;
    this.builder = parts.builder;
    this.#archiver = parts.archiver;
    this.#database = parts.database;
  }

  static async create(): Promise<BuilderFixture> {
    const directory = await mkdtemp('/tmp/builder-test-');
    const database = openDatabase(join(directory, 'berth.db'), [...snapshotMigrations, ...builderMigrations]);
    const mounts = createMounts();
    const processes = createProcesses();
    const archiver = createArchiver();
    const snapshots = await createOverlaySnapshotter({
      database,
      root: join(directory, 'snapshots'),
      mounts,
      processes,
    });
    const blobs = join(directory, 'blobs');
    await mkdir(blobs);
    const images = new MemoryImages(snapshots, archiver, blobs);
    const runtime = await createRuntime({ execRoot: join(directory, 'exec'), processes, logger: silentLogger });
    const files = { hostsFile: '127.0.0.1 localhost\n', resolvConf: 'nameserver 127.0.0.1\n' };
    const networks = { open: async () => ({ netnsPath: undefined, ...files, close: async () => {} }) };
    const unsupported = async () => {
      throw notImplemented('not in this test');
    };
    const builder = createBuilder({
      database,
      images: Object.assign(images, {
        history: unsupported,
        remove: unsupported,
        push: unsupported,
        save: unsupported,
        load: unsupported,
        import: unsupported,
        collectGarbage: async () => 0,
      }),
      snapshots,
      archiver,
      runtime,
      networks,
      mounts,
      logger: silentLogger,
      dataDirectory: join(directory, 'builder'),
      runDirectory: join(directory, 'exec', 'builder'),
      cgroupParent: '/berth-builder-test',
    });
    const fixture = new BuilderFixture({ directory, images, snapshots, builder, archiver, database });
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

  /** Names of the entries in the newest layer of an image. */
  topLayer(image: Image): string[] {
    const diffId = image.config.rootfs.diff_ids.at(-1);
    return diffId === undefined ? [] : this.images.listLayer(diffId);
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
  }

  async #addBusybox(): Promise<void> {
    await this.snapshots.prepare('busybox');
    makeBusyboxRoot(await this.snapshots.directory('busybox'));
    const layer = await this.images.commitLayer('busybox', undefined);
    if (layer === undefined) throw new Error('an empty busybox');
    const config: ImageConfig = {
      created: '2020-01-01T00:00:00Z',
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created: '2020-01-01T00:00:00Z', comment: 'Imported from -' }],
    };
    await this.images.create(config, [layer.descriptor], { tags: ['busybox:latest'] });
  }
}
