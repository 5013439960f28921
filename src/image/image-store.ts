import { mkdir, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { LayerArchiver } from '#archive';
import type { Digest } from '#base';
import type { ContentStore } from '#content';
import type { Database } from '#metadata';
import {
  canonicalString,
  type Descriptor,
  familiarName,
  familiarString,
  type ImageConfig,
  mediaTypes,
  parseReference,
  withDefaultTag,
} from '#oci';
import type { RegistryClient } from '#registry-client';
import type { Snapshotter } from '#snapshot';
import { parseManifestOrIndex } from './check-config.ts';
import { collectGarbage, layersOnDisk } from './collect-garbage.ts';
import { imageHistory } from './history.ts';
import type { Image, ImageRemoval, ImageStore, ImageVersion } from './image.ts';
import { ImageRecords } from './image-records.ts';
import { type ImportOptions, importImage } from './import.ts';
import { LayerStage } from './layer-stage.ts';
import { Leases } from './leases.ts';
import { loadImages } from './load.ts';
import { LocalImageMaker } from './make-image.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { type RemoveOptions, removeImage } from './remove.ts';
import { parseTagName, resolveImage } from './resolve.ts';
import { saveImages } from './save.ts';
import { sharedSizes } from './shared-sizes.ts';
import { Unpacker } from './unpack.ts';
import { unpackPrefix } from './unpack-prefix.ts';
import { imageVersions, rollBack } from './versions.ts';

/** What the image store needs. */
export interface ImageStoreOptions {
  readonly database: Database;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: LayerArchiver;
  readonly registry: RegistryClient;
  /** Directory for files being made, on the content store's file system; emptied at start. */
  readonly scratch: string;
  /** Snapshots that others need although no image does (build cache); asked when a removed image is cleaned up. */
  readonly keepSnapshots?: () => ReadonlySet<string>;
  /** How many versions of a tag prune keeps, the present one included; default 0, none. */
  readonly keepVersions?: number;
  /** Hears what happened to images, after it happened; must not throw. */
  readonly onEvent?: (event: ImageEvent) => void;
}

/** What `docker events` tells of images: `id` is an image's, or for transfers the name; `name` as Docker has it. */
export interface ImageEvent {
  readonly action: 'delete' | 'import' | 'load' | 'pull' | 'push' | 'save' | 'tag' | 'untag';
  readonly id: string;
  readonly name: string;
}

/** The image store with what only this implementation offers. */
export interface LocalImageStore extends ImageStore {
  /** Bytes on disk of all blobs and of the unpacked layers of images, shared ones once. */
  layersSize(): Promise<number>;
}

/** Opens the image store and drops what an earlier process left half-made. Reconcile the snapshots before. */
export async function createImageStore(options: ImageStoreOptions): Promise<LocalImageStore> {
  await rm(options.scratch, { recursive: true, force: true });
  await mkdir(options.scratch, { recursive: true, mode: 0o700 });
  for (const { key } of await options.snapshots.list()) {
    if (key.startsWith(unpackPrefix)) await options.snapshots.remove(key);
  }
  return new ComposedImageStore(options);
}

/** Hands each use case what it needs; holds no logic of its own. */
class ComposedImageStore implements LocalImageStore {
  readonly #options: ImageStoreOptions;
  readonly #records: ImageRecords;
  readonly #leases = new Leases();
  readonly #unpacker: Unpacker;
  readonly #maker: LocalImageMaker;

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.#records = new ImageRecords(options.database);
    const shared = { ...options, records: this.#records, leases: this.#leases };
    this.#unpacker = new Unpacker(shared);
    this.#maker = new LocalImageMaker({ ...shared, unpacker: this.#unpacker });
  }

  async get(name: string): Promise<Image> {
    return resolveImage(this.#records, name);
  }

  async list(): Promise<Image[]> {
    return this.#records.list();
  }

  async history(name: string): ReturnType<ImageStore['history']> {
    return imageHistory(resolveImage(this.#records, name), this.#options.snapshots);
  }

  async content(image: Image): ReturnType<ImageStore['content']> {
    const bytes = await this.#options.content.read(image.manifestDigest);
    const { size } = await this.#options.content.info(image.id);
    const layers = new Map(image.layers.map((layer) => [layer.digest, layer.size]));
    const contentSize = [...layers.values()].reduce((sum, layer) => sum + layer, bytes.length + size);
    const { mediaType = mediaTypes.ociManifest } = parseManifestOrIndex(bytes, `manifest ${image.manifestDigest}`);
    return { mediaType, manifestSize: bytes.length, contentSize };
  }

  async unpack(image: Image): Promise<string | undefined> {
    return this.#unpacker.unpackAll(image.layers, image.config.rootfs.diff_ids);
  }

  async tag(source: string, target: string): Promise<void> {
    const reference = parseTagName(target);
    const image = this.#records.transaction(() => {
      const found = resolveImage(this.#records, source);
      this.#records.setTag(canonicalString(reference), found);
      return found;
    });
    this.#announce('tag', image.id, familiarString(reference));
  }

  async sharedSizes(): Promise<ReadonlyMap<Digest, number>> {
    return sharedSizes(await this.list(), this.#options.snapshots);
  }

  async layersSize(): Promise<number> {
    return layersOnDisk({ ...this.#shared(), snapshots: this.#options.snapshots });
  }

  async versions(name: string): Promise<ImageVersion[]> {
    return imageVersions(this.#records, name);
  }

  async rollBack(name: string, to?: string): Promise<Image> {
    const image = rollBack(this.#records, name, to);
    this.#announce('tag', image.id, familiarString(parseTagName(name)));
    return image;
  }

  async keptVersions(): Promise<ReadonlySet<Digest>> {
    return this.#records.recentVersions(this.#options.keepVersions ?? 0);
  }

  async remove(name: string, options: RemoveOptions): Promise<ImageRemoval[]> {
    const { id } = resolveImage(this.#records, name);
    const { done, removed } = removeImage(this.#records, name, options);
    for (const step of done) if ('untagged' in step) this.#announce('untag', id);
    for (const image of removed) this.#announce('delete', image.id);
    if (removed.length > 0) await this.collectGarbage(this.#options.keepSnapshots?.() ?? new Set());
    return done;
  }

  async pull(name: string, options: Parameters<ImageStore['pull']>[1]): Promise<Image> {
    const image = await pullImage(name, options, {
      ...this.#shared(),
      registry: this.#options.registry,
      unpacker: this.#unpacker,
      maker: this.#maker,
      stage: () => this.#stage(),
    });
    this.#announceTransfer('pull', name, options);
    return image;
  }

  async push(name: string, options: Parameters<ImageStore['push']>[1]): Promise<{ digest: Digest; size: number }> {
    const pushed = await pushImage(name, options, {
      ...this.#shared(),
      registry: this.#options.registry,
      scratch: this.#options.scratch,
    });
    this.#announceTransfer('push', name, options);
    return pushed;
  }

  async save(names: readonly string[], options: Parameters<ImageStore['save']>[1] = {}): Promise<Readable> {
    const onSaved = (id: Digest) => this.#announce('save', id);
    return saveImages(names, { ...this.#shared(), ...options, onSaved });
  }

  async load(archive: Readable, options: Parameters<ImageStore['load']>[1]): ReturnType<ImageStore['load']> {
    const loaded = await loadImages(archive, {
      ...this.#shared(),
      ...options,
      maker: this.#maker,
      stage: () => this.#stage(),
    });
    for (const { image } of loaded) this.#announce('load', image.id);
    return loaded;
  }

  async import(archive: Readable, options: ImportOptions): Promise<Image> {
    const image = await importImage(archive, options, {
      ...this.#shared(),
      maker: this.#maker,
      stage: () => this.#stage(),
    });
    if (options.target !== undefined) this.#announce('tag', image.id, familiarString(parseTagName(options.target)));
    this.#announce('import', image.id);
    return image;
  }

  holding<T>(body: () => Promise<T>): Promise<T> {
    return this.#maker.holding(body);
  }

  async commitLayer(...args: Parameters<ImageStore['commitLayer']>): ReturnType<ImageStore['commitLayer']> {
    return this.#maker.commitLayer(...args);
  }

  async create(
    config: ImageConfig,
    layers: readonly Descriptor[],
    options: { tags?: readonly string[]; parent?: Digest } = {},
  ): Promise<Image> {
    const image = await this.#maker.create(config, layers, options);
    for (const tag of options.tags ?? []) this.#announce('tag', image.id, familiarString(parseTagName(tag)));
    return image;
  }

  async collectGarbage(keepSnapshots: ReadonlySet<string>): Promise<number> {
    return collectGarbage({ ...this.#shared(), snapshots: this.#options.snapshots }, keepSnapshots);
  }

  #announce(action: ImageEvent['action'], id: string, name: string = id): void {
    this.#options.onEvent?.({ action, id, name });
  }

  #announceTransfer(action: 'pull' | 'push', name: string, { allTags }: { allTags?: boolean }): void {
    const reference = parseReference(name);
    this.#announce(action, familiarString(allTags ? reference : withDefaultTag(reference)), familiarName(reference));
  }

  #stage(): LayerStage {
    return new LayerStage(this.#options);
  }

  #shared() {
    return { content: this.#options.content, records: this.#records, leases: this.#leases };
  }
}
