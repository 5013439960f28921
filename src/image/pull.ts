import { type Digest, digestOf, invalid, isBerthError, notFound, Semaphore, shortId } from '#base';
import { type BlobWriter, type ContentStore, copyInto, putBlob } from '#content';
import {
  canonicalString,
  type Descriptor,
  familiarString,
  formatPlatform,
  hostPlatform,
  type Manifest,
  type Platform,
  parseReference,
  platformMatches,
  type Reference,
  withDefaultTag,
} from '#oci';
import type { RegistryClient, Repository } from '#registry-client';
import { checkConfig, isForeign, isIndex, parseConfig, parseManifestOrIndex } from './check-config.ts';
import type { Image, OnProgress, PullOptions } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import type { LayerStage } from './layer-stage.ts';
import type { Lease, Leases } from './leases.ts';
import type { LocalImageMaker } from './make-image.ts';
import type { Unpacker } from './unpack.ts';

/** Layers that download at a time, as in Docker. */
const parallelDownloads = 3;
/** A progress line per layer and so many bytes, not per chunk. */
const progressStep = 512 * 1024;

/** What {@link pullImage} needs. */
export interface PullContext {
  readonly content: ContentStore;
  readonly records: ImageRecords;
  readonly leases: Leases;
  readonly registry: RegistryClient;
  readonly unpacker: Unpacker;
  readonly maker: LocalImageMaker;
  /** Makes a stage for the layers of this pull. */
  readonly stage: () => LayerStage;
}

/**
 * Pulls one image: looks the name up (one request when nothing changed), downloads missing layers three at a time while
 * earlier ones are unpacked, and records image and names at the end. Progress in Docker's words.
 */
export async function pullImage(name: string, options: PullOptions, context: PullContext): Promise<Image> {
  const { onProgress, signal } = options;
  const given = parseReference(name);
  const reference = options.allTags ? given : withDefaultTag(given);
  const repository = context.registry.repository(reference, options.credentials);
  let last: { image: Image; isNew: boolean } | undefined;
  let isNew = false;
  if (options.allTags) {
    for await (const tag of repository.tags({ signal })) {
      last = await pullOne({ ...reference, tag }, repository, options, context);
      isNew ||= last.isNew;
    }
  } else {
    last = await pullOne(reference, repository, options, context);
    isNew = last.isNew;
  }
  const familiar = familiarString(reference);
  if (last === undefined) throw notFound(`repository ${familiar} has no tags`);
  onProgress({
    status: isNew ? `Status: Downloaded newer image for ${familiar}` : `Status: Image is up to date for ${familiar}`,
  });
  return last.image;
}

async function pullOne(
  reference: Reference,
  repository: Repository,
  { onProgress, signal, platform }: PullOptions,
  context: PullContext,
): Promise<{ image: Image; isNew: boolean }> {
  const { tag, ...untagged } = reference;
  const head = await repository.resolve(reference.digest ?? tag ?? 'latest', { signal });
  onProgress({
    id: reference.digest === undefined ? (tag ?? 'latest') : familiarString(untagged),
    status: `Pulling from ${reference.path}`,
  });
  const repoDigest = canonicalString({ ...untagged, digest: head.digest });
  const pulled = await context.leases.with(async (lease) => {
    const have = current(context.records, { repoDigest, manifest: head.digest }, platform);
    if (have !== undefined) return { image: have, isNew: nameAgain(context.records, have, reference, repoDigest) };
    const fetched = await fetchImage(repository, head.digest, { platform, signal });
    const known = context.records.byId(fetched.manifest.config.digest) !== undefined;
    const stage = context.stage();
    const stored = await download(fetched, { repository, lease, context, onProgress, signal, stage }).finally(() =>
      stage.close(),
    );
    const tags = reference.digest === undefined ? [canonicalString(reference)] : [];
    const recorded = await context.maker.record(stored, { tags, repoDigest, replace: true, signal });
    return { image: recorded, isNew: !known };
  });
  onProgress({ status: `Digest: ${head.digest}` });
  const { config } = pulled.image;
  if (platform !== undefined && !platformMatches(config, platform)) {
    // An image without an index is taken as it is, as by Docker, whose words these are.
    mismatch(onProgress, familiarString(reference), [config, platform]);
  }
  return pulled;
}

function mismatch(onProgress: OnProgress, name: string, [have, want]: readonly [Platform, Platform]): void {
  onProgress({
    status: `WARNING: image with reference ${name} was found but its platform (${formatPlatform(have)}) does not match the specified platform (${formatPlatform(want)})`,
  });
}

/** An image that is here whole, by the digest that the registry gave: no more has to be asked. */
function current(
  records: ImageRecords,
  { repoDigest, manifest }: { readonly repoDigest: string; readonly manifest: Digest },
  platform: Platform | undefined,
): Image | undefined {
  const image = records.byRepoDigest(repoDigest) ?? records.byManifest(manifest);
  if (image === undefined) return undefined;
  return platform === undefined || platformMatches(image.config, platform) ? image : undefined;
}

/** Gives an image the names of a pull. Writes nothing, and returns false, where it has them. */
function nameAgain(records: ImageRecords, image: Image, reference: Reference, repoDigest: string): boolean {
  const tag = reference.digest === undefined ? canonicalString(reference) : undefined;
  const isTagged = tag === undefined || image.tags.includes(tag);
  const isNew = !isTagged || !image.repoDigests.includes(repoDigest);
  if (isNew) {
    records.transaction(() => {
      if (tag !== undefined && !isTagged) records.setTag(tag, image);
      records.setRepoDigest(repoDigest, image.id);
    });
  }
  return isNew;
}

interface Fetched {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly manifest: Manifest;
}

async function fetchImage(
  repository: Repository,
  digest: Digest,
  { platform, signal }: Pick<PullOptions, 'platform' | 'signal'>,
): Promise<Fetched> {
  const top = await repository.manifest(digest, { signal });
  const document = parseManifestOrIndex(top.bytes, `manifest ${digest}`);
  if (!isIndex(document)) return { digest, bytes: top.bytes, manifest: document };
  const want = platform ?? hostPlatform();
  const match = document.manifests.find(
    (candidate) => candidate.platform !== undefined && platformMatches(candidate.platform, want),
  );
  if (match === undefined) {
    throw notFound(`no matching manifest for ${formatPlatform(want)} in the manifest list entries`);
  }
  const inner = await repository.manifest(match.digest, { signal });
  const manifest = parseManifestOrIndex(inner.bytes, `manifest ${match.digest}`);
  if (isIndex(manifest)) throw invalid(`the index ${digest} names another index where an image was expected`);
  return { digest: match.digest, bytes: inner.bytes, manifest };
}

interface Download {
  readonly repository: Repository;
  readonly lease: Lease;
  readonly context: PullContext;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal | undefined;
  readonly stage: LayerStage;
}

/** Brings all blobs of an image into the store and unpacks its layers. */
async function download(fetched: Fetched, task: Download) {
  const { manifest, bytes, digest } = fetched;
  const { context, lease, onProgress, signal } = task;
  const { content, unpacker } = context;
  await lease.hold(digestOf(bytes), manifest.config.digest, ...manifest.layers.map((layer) => layer.digest));
  if (manifest.layers.some(isForeign)) throw invalid(`image ${digest} has layers that may not be distributed`);
  await fetchBlob(manifest.config, task);
  const config = parseConfig(await content.read(manifest.config.digest), `config ${manifest.config.digest}`);
  checkConfig(config, manifest.layers.length);
  for (const layer of manifest.layers) {
    const isThere = await content.has(layer.digest);
    onProgress({ id: idOf(layer), status: isThere ? 'Already exists' : 'Pulling fs layer' });
  }
  const abort = new AbortController();
  const ended = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
  const places = new Semaphore(parallelDownloads);
  const downloads = manifest.layers.map((layer) => places.run(() => fetchLayer(layer, { ...task, signal: ended })));
  try {
    let chain: Digest | undefined;
    for (const [index, layer] of manifest.layers.entries()) {
      const diffId = config.rootfs.diff_ids[index];
      if (diffId === undefined) break;
      const isNew = await downloads[index];
      if (isNew) onProgress({ id: idOf(layer), status: 'Extracting', current: layer.size, total: layer.size });
      chain = await unpacker.unpackLayer({ layer, diffId }, chain, { signal: ended, stage: task.stage });
      if (isNew) onProgress({ id: idOf(layer), status: 'Pull complete' });
    }
  } catch (error) {
    abort.abort();
    throw error;
  } finally {
    await Promise.allSettled(downloads);
  }
  await putBlob(content, bytes);
  return { id: manifest.config.digest, config, layers: manifest.layers, manifestDigest: digestOf(bytes) };
}

async function fetchLayer(layer: Descriptor, task: Download): Promise<boolean> {
  const id = idOf(layer);
  let reported = 0;
  let staged = task.stage.begin();
  let isNew: boolean;
  try {
    isNew = await fetchBlob(layer, task, {
      written: (file) => {
        staged.advance(file);
        const isWhole = file.size >= layer.size;
        if (!isWhole && file.size - reported < progressStep) return;
        reported = file.size;
        task.onProgress({ id, status: 'Downloading', current: file.size, total: layer.size });
        if (isWhole) task.onProgress({ id, status: 'Verifying Checksum' });
      },
      // What was unpacked so far came from other bytes than the blob's.
      begunAnew: () => {
        staged.abandon();
        staged = task.stage.begin();
        reported = 0;
      },
    });
    staged.finish(layer.digest);
  } catch (error) {
    staged.abandon();
    throw error;
  }
  if (isNew) task.onProgress({ id, status: 'Download complete' });
  return isNew;
}

/** Hears how a download goes. */
interface BlobListener {
  /** There is more in the file. */
  written(file: { readonly path: string; readonly size: number }): void;
  /** The file is dropped, another one will be written. */
  begunAnew(): void;
}

/**
 * Downloads a blob unless it is there; takes up what an earlier pull left of it, and begins anew where that proves to be
 * no part of it. Returns whether it was new.
 */
async function fetchBlob(blob: Descriptor, task: Download, listener?: BlobListener): Promise<boolean> {
  const { content } = task.context;
  if (await content.has(blob.digest)) return false;
  let writer = await openWriter(content, blob.digest);
  // An earlier process may have died between the last byte and the commit.
  const isWhole = writer.size >= blob.size && blob.size > 0;
  if (isWhole && (await isCommitted(writer, blob))) return true;
  if (isWhole) writer = await openWriter(content, blob.digest);
  const offset = writer.size;
  try {
    const source = await task.repository.openBlob(blob, { offset, signal: task.signal });
    await copyInto(writer, source, () => listener?.written(writer));
    if (offset > 0) {
      if (await isCommitted(writer, blob)) return true;
    } else {
      await writer.commit({ digest: blob.digest, size: blob.size });
      return true;
    }
  } finally {
    await writer.abort({ keep: writer.size < blob.size });
  }
  listener?.begunAnew();
  return fetchBlob(blob, task, listener);
}

/** Commits what is in a writer, and drops it when it is not the blob. */
async function isCommitted(writer: BlobWriter, { digest, size }: Descriptor): Promise<boolean> {
  try {
    await writer.commit({ digest, size });
    return true;
  } catch (error) {
    if (!isBerthError(error, 'invalid')) throw error;
    return false;
  }
}

/** A pull of the same blob that is under way has the keyed writer; this one then writes its own copy. */
async function openWriter(content: ContentStore, digest: Digest) {
  try {
    return await content.writer({ key: `pull ${digest}` });
  } catch {
    return content.writer();
  }
}

function idOf(layer: Descriptor): string {
  return shortId(layer.digest);
}
