import type { Readable } from 'node:stream';
import { type Digest, digestOf, notFound, Semaphore, shortId } from '#base';
import { type ContentStore, putBlob } from '#content';
import {
  canonicalString,
  type Descriptor,
  familiarName,
  type Manifest,
  mediaTypes,
  parseReference,
  type Reference,
  withDefaultTag,
} from '#oci';
import type { RegistryClient, Repository } from '#registry-client';
import { isIndex, parseManifestOrIndex } from './check-config.ts';
import { compressLayer } from './compress-layer.ts';
import type { Image, OnProgress, PushOptions } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import type { Lease, Leases } from './leases.ts';
import { isCompressed } from './media-type.ts';

/** Layers that upload at a time, as in Docker. */
const parallelUploads = 5;
/** Layers that are packed at a time; each keeps several cores busy. */
const parallelPackings = 2;

/** What {@link pushImage} needs. */
export interface PushContext {
  readonly content: ContentStore;
  readonly records: ImageRecords;
  readonly leases: Leases;
  readonly registry: RegistryClient;
  readonly scratch: string;
}

/**
 * Pushes tags. Layers made here are compressed once, and the result kept, so that the same image always has the same
 * digest; an image that was pulled goes back byte for byte. Throws `not-found` when the tag is not there.
 */
export async function pushImage(
  name: string,
  options: PushOptions,
  context: PushContext,
): Promise<{ digest: Digest; size: number }> {
  const given = parseReference(name);
  const reference = options.allTags ? given : withDefaultTag(given);
  const repositoryName = canonicalString({ domain: reference.domain, path: reference.path });
  options.onProgress({ status: `The push refers to repository [${repositoryName}]` });
  const tags = options.allTags ? context.records.tagsOf(repositoryName) : [canonicalString(reference)];
  const repository = context.registry.repository(reference, options.credentials);
  let last: { digest: Digest; size: number } | undefined;
  for (const tag of tags) {
    const image = context.records.byTag(tag);
    if (image === undefined) continue;
    last = await pushTag(image, parseReference(tag), repository, { ...context, ...options });
  }
  if (last === undefined) {
    throw notFound(`An image does not exist locally with the tag: ${familiarName(reference)}`);
  }
  return last;
}

async function pushTag(
  image: Image,
  reference: Reference,
  repository: Repository,
  context: PushContext & PushOptions,
): Promise<{ digest: Digest; size: number }> {
  const { onProgress, signal } = context;
  const repositoryName = canonicalString({ domain: reference.domain, path: reference.path });
  return context.leases.with(async (lease) => {
    const upload: Upload = { repository, context, onProgress, signal, repositoryName, sent: new Set() };
    for (const diffId of new Set(image.config.rootfs.diff_ids))
      onProgress({ id: shortId(diffId), status: 'Preparing' });
    const { bytes, manifest, mediaType } = await pushable(image, lease, upload);
    await pushLayers(manifest, image, upload);
    await repository.pushBlob(manifest.config, opener(context.content, manifest.config), { signal });
    const tag = reference.tag ?? 'latest';
    const digest = await repository.pushManifest(tag, mediaType, bytes, { signal });
    context.records.setRepoDigest(`${repositoryName}@${digest}`, image.id);
    onProgress({ status: `${tag}: digest: ${digest} size: ${bytes.length}` });
    onProgress({ status: '', aux: { Tag: tag, Digest: digest, Size: bytes.length } });
    return { digest, size: bytes.length };
  });
}

interface Upload {
  readonly repository: Repository;
  readonly context: PushContext;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal | undefined;
  readonly repositoryName: string;
  /** Layers that went to the registry while they were packed. */
  readonly sent: Set<Digest>;
}

interface Pushable {
  readonly bytes: Buffer;
  readonly manifest: Manifest;
  readonly mediaType: string;
}

/** The manifest as received when its layers can travel as they are; else one that names their compressed form. */
async function pushable(image: Image, lease: Lease, upload: Upload): Promise<Pushable> {
  const { content } = upload.context;
  await lease.hold(image.id, image.manifestDigest, ...image.layers.map((layer) => layer.digest));
  if (image.layers.every(isCompressed)) {
    const bytes = await content.read(image.manifestDigest);
    const manifest = parseManifestOrIndex(bytes, `manifest ${image.manifestDigest}`);
    if (!isIndex(manifest)) return { bytes, manifest, mediaType: manifest.mediaType ?? mediaTypes.ociManifest };
  }
  const layers = await packLayers(image, lease, upload);
  const { size } = await content.info(image.id);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: mediaTypes.dockerConfig, digest: image.id, size },
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await lease.hold(digestOf(bytes));
  await putBlob(content, bytes);
  return { bytes, manifest, mediaType: mediaTypes.dockerManifest };
}

/** The compressed forms of an image's layers; what has to be packed anew goes to the registry meanwhile. */
async function packLayers(image: Image, lease: Lease, upload: Upload): Promise<Descriptor[]> {
  const { context, repository, onProgress, signal, sent } = upload;
  const places = new Semaphore(parallelPackings);
  const pack = async (layer: Descriptor, index: number): Promise<Descriptor> => {
    if (isCompressed(layer)) return { mediaType: mediaTypes.dockerLayerGzip, digest: layer.digest, size: layer.size };
    const diffId = image.config.rootfs.diff_ids[index] ?? layer.digest;
    const whilePacking = async (stream: Readable, digest: () => Promise<Digest>) => {
      // How large it becomes is not known yet: the bytes before packing are the measure.
      onProgress({ id: shortId(diffId), status: 'Pushing', total: layer.size });
      await repository.pushStream(stream, digest, { signal });
      sent.add(await digest());
    };
    return compressLayer(diffId, layer, { ...context, lease, signal, whilePacking });
  };
  const results = await Promise.allSettled(image.layers.map((layer, index) => places.run(() => pack(layer, index))));
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function pushLayers(manifest: Manifest, image: Image, upload: Upload): Promise<void> {
  const { repository, context, onProgress, signal, sent } = upload;
  const mountFrom = otherRepositories(image, upload.repositoryName);
  const { diff_ids: diffIds } = image.config.rootfs;
  const queue = [...new Map(manifest.layers.map((layer, index) => [layer.digest, { layer, index }])).values()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { layer, index } = next;
      const id = shortId(diffIds[index] ?? layer.digest);
      const total = layer.size;
      const outcome = await repository.pushBlob(layer, opener(context.content, layer), {
        mountFrom,
        signal,
        onProgress: (current) => onProgress({ id, status: 'Pushing', current, total }),
      });
      if (outcome.kind === 'mounted') onProgress({ id, status: `Mounted from ${outcome.from}` });
      else if (outcome.kind === 'uploaded' || sent.has(layer.digest)) onProgress({ id, status: 'Pushed' });
      else onProgress({ id, status: 'Layer already exists' });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: parallelUploads }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function opener(content: ContentStore, blob: Descriptor) {
  return (offset: number) => content.open(blob.digest, { start: offset });
}

/** Repositories of the same registry that are known to have the image's layers. */
function otherRepositories(image: Image, name: string): string[] {
  const { domain, path } = parseReference(name);
  const others = image.repoDigests.map((digest) => parseReference(digest));
  const paths = others.filter((other) => other.domain === domain && other.path !== path).map((other) => other.path);
  return [...new Set(paths)];
}
