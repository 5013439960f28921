import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerArchiver } from '#archive';
import { type Digest, digestOf, invalid, newId } from '#base';
import { type BlobInfo, type ContentStore, putBlob } from '#content';
import { canonicalString, type Descriptor, type ImageConfig, mediaTypes } from '#oci';
import type { Snapshotter } from '#snapshot';
import { chainIds, nextChainId } from './chain-id.ts';
import { checkConfig } from './check-config.ts';
import type { Image, ImageMaker, NewLayer } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import type { LayerStage } from './layer-stage.ts';
import type { Leases } from './leases.ts';
import { makeManifest } from './media-type.ts';
import { parseTagName } from './resolve.ts';
import type { Unpacker, UnpackOptions } from './unpack.ts';

/** What the {@link LocalImageMaker} needs. */
export interface ImageMakerOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: Pick<LayerArchiver, 'diff'>;
  readonly records: ImageRecords;
  readonly leases: Leases;
  readonly unpacker: Unpacker;
  /** Directory for files being made, on the content store's file system. */
  readonly scratch: string;
}

/** An image whose blobs are in the store, about to be recorded. */
export interface StoredImage {
  readonly manifestDigest: Digest;
  readonly config: ImageConfig;
  readonly id: Digest;
  readonly layers: readonly Descriptor[];
  readonly parent?: Digest | undefined;
}

/** Makes images from layers that are in the store, and layers from snapshots. */
export class LocalImageMaker implements ImageMaker {
  readonly #options: ImageMakerOptions;

  constructor(options: ImageMakerOptions) {
    this.#options = options;
  }

  holding<T>(body: () => Promise<T>): Promise<T> {
    return this.#options.leases.with(body);
  }

  async commitLayer(
    key: string,
    parentChain: string | undefined,
    options: { skipEmpty?: boolean } = {},
  ): Promise<(NewLayer & { chainId: string }) | undefined> {
    const { content, snapshots, archiver, records, scratch } = this.#options;
    const upper = await snapshots.directory(key);
    if (options.skipEmpty && (await readdir(upper)).length === 0) {
      await snapshots.remove(key);
      return undefined;
    }
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const file = join(scratch, newId());
    try {
      const { diffId, size } = await archiver.diff(upper, file);
      const chainId = nextChainId(parentChain, diffId);
      await content.adopt(file, { digest: diffId, size });
      const descriptor: Descriptor = { mediaType: mediaTypes.ociLayer, digest: diffId, size };
      await snapshots.commit(chainId, key);
      records.putLayer(chainId, diffId, descriptor);
      return { descriptor, diffId, chainId };
    } finally {
      await rm(file, { force: true });
    }
  }

  async create(
    config: ImageConfig,
    layers: readonly Descriptor[],
    options: { tags?: readonly string[]; parent?: Digest; stage?: LayerStage } = {},
  ): Promise<Image> {
    const { content, leases } = this.#options;
    const tags = (options.tags ?? []).map((tag) => canonicalString(parseTagName(tag)));
    const bytes = Buffer.from(JSON.stringify(config));
    return leases.with(async (lease) => {
      await lease.hold(digestOf(bytes), ...layers.map((layer) => layer.digest));
      const stored = await putHeld(content, bytes);
      const descriptor = { mediaType: mediaTypes.ociConfig, digest: stored.digest, size: stored.size };
      const manifest = makeManifest(descriptor, layers).bytes;
      await lease.hold(digestOf(manifest));
      const manifestDigest = (await putHeld(content, manifest)).digest;
      return this.record(
        { id: stored.digest, manifestDigest, config, layers, parent: options.parent },
        { ...(options.stage === undefined ? {} : { stage: options.stage }), tags },
      );
    });
  }

  /** Checks an image whose blobs are held and unpacks its layers. Throws `invalid` where config and layers do not fit. */
  async unpack(image: StoredImage, options: UnpackOptions = {}): Promise<void> {
    checkConfig(image.config, image.layers.length);
    for (const { digest } of image.layers) {
      if (!(await this.#options.content.has(digest))) {
        throw invalid(`image ${image.id}: layer ${digest} is not in the store`);
      }
    }
    await this.#options.unpacker.unpackAll(image.layers, image.config.rootfs.diff_ids, options);
  }

  /**
   * Unpacks an image whose blobs are held and in the store, then records it with its names in one transaction.
   * `tags` are canonical. Throws `invalid` where config and layers do not fit.
   */
  async record(
    image: StoredImage,
    options: { tags?: readonly string[]; repoDigest?: string; replace?: boolean } & UnpackOptions = {},
  ): Promise<Image> {
    const { leases, records, snapshots } = this.#options;
    const diffIds = image.config.rootfs.diff_ids;
    return leases.with(async (lease) => {
      const chain = chainIds(diffIds);
      await lease.hold(image.id, image.manifestDigest, ...chain);
      await this.unpack(image, options);
      let size = 0;
      for (const key of chain) size += (await snapshots.usage(key)).bytes;
      records.transaction(() => {
        const { id, manifestDigest, config, layers, parent } = image;
        records.put({ id, manifestDigest, config, layers, size, parent }, { replace: options.replace ?? false });
        const kept = records.byId(id) ?? image;
        for (const tag of options.tags ?? []) records.setTag(tag, kept);
        if (options.repoDigest !== undefined) records.setRepoDigest(options.repoDigest, id);
      });
      const recorded = records.byId(image.id);
      if (recorded === undefined) throw new Error(`image ${image.id} was not recorded`);
      return recorded;
    });
  }
}

/** Stores a blob that a lease holds: one that is there already cannot go, and is not written and synced again. */
async function putHeld(content: ContentStore, bytes: Buffer): Promise<Pick<BlobInfo, 'digest' | 'size'>> {
  const digest = digestOf(bytes);
  return (await content.has(digest)) ? { digest, size: bytes.length } : putBlob(content, bytes);
}
