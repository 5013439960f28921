import type { Readable } from 'node:stream';
import { type Digest, invalid, isDigest, shortId } from '#base';
import { type ContentStore, putBlob } from '#content';
import {
  canonicalString,
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type Index,
  type Manifest,
  mediaTypes,
  type Platform,
  parseReference,
  platformMatches,
} from '#oci';
import { isIndex, isObject, parseConfig, parseJson, parseManifestOrIndex } from './check-config.ts';
import { dropUnused } from './collect-garbage.ts';
import type { Image, OnProgress } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import type { LayerStage } from './layer-stage.ts';
import type { Lease, Leases } from './leases.ts';
import { type LoadedArchive, readImageArchive } from './load-archive.ts';
import type { LocalImageMaker, StoredImage } from './make-image.ts';
import { layerTypeOf, makeManifest } from './media-type.ts';

/** What {@link loadImages} needs. */
export interface LoadOptions {
  readonly content: ContentStore;
  readonly records: ImageRecords;
  readonly leases: Leases;
  readonly maker: Pick<LocalImageMaker, 'record' | 'unpack'>;
  /** Makes a stage for the layers of this load. */
  readonly stage: () => LayerStage;
  readonly onProgress: OnProgress;
  /** Loads nothing but images for it; without it an index gives the one for this machine. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
}

interface Candidate extends StoredImage {
  /** Canonical. */
  readonly tags: readonly string[];
}

/** How deep indexes may name indexes. */
const maxIndexDepth = 4;

/**
 * Loads a docker-archive (of any age) or an OCI layout. No image is recorded before the whole archive was read and its
 * blobs verified; on failure the blobs that it brought are removed again. Throws `invalid`.
 */
export async function loadImages(archive: Readable, options: LoadOptions): Promise<{ image: Image; tags: string[] }[]> {
  const brought = new Set<Digest>();
  try {
    return await options.leases.with(async (lease) => {
      const layers = options.stage();
      try {
        return await loadHeld(archive, { ...options, lease, brought, layers });
      } finally {
        await layers.close();
      }
    });
  } catch (error) {
    await dropUnused(brought, options);
    throw error;
  }
}

async function loadHeld(
  archive: Readable,
  options: LoadOptions & { lease: Lease; brought: Set<Digest>; layers: LayerStage },
): Promise<{ image: Image; tags: string[] }[]> {
  const { content, lease, brought, maker, signal, layers } = options;
  const abortable = signal === undefined ? {} : { signal };
  const loaded = await readImageArchive(content, archive, {
    onBlob: (digest) => lease.hold(digest),
    onNew: (digest) => brought.add(digest),
    stage: layers,
    ...abortable,
  });
  const wanted = options.platform;
  const found = loaded.documents.has('manifest.json')
    ? await fromDockerArchive(loaded, content, brought)
    : await fromLayout(loaded, content, wanted ?? hostPlatform());
  const candidates = wanted === undefined ? found : found.filter(({ config }) => platformMatches(config, wanted));
  if (candidates.length === 0) {
    throw invalid(`the archive holds no image for ${wanted === undefined ? 'this platform' : formatPlatform(wanted)}`);
  }
  for (const candidate of candidates) {
    await lease.hold(candidate.manifestDigest);
    await maker.unpack(candidate, { signal, stage: layers });
    for (const diffId of candidate.config.rootfs.diff_ids) {
      options.onProgress({ id: shortId(diffId), status: 'Loading layer' });
    }
  }
  const results: { image: Image; tags: string[] }[] = [];
  for (const candidate of candidates) {
    const image = await maker.record(candidate, { tags: candidate.tags, ...abortable });
    results.push({ image, tags: [...candidate.tags] });
  }
  return results;
}

async function fromDockerArchive(
  archive: LoadedArchive,
  content: ContentStore,
  brought: Set<Digest>,
): Promise<Candidate[]> {
  const entries = parseJson(archive.documents.get('manifest.json') ?? Buffer.alloc(0), 'manifest.json');
  if (!Array.isArray(entries)) throw invalid('manifest.json is not a list of images');
  const received = await receivedManifests(archive, content);
  const candidates: Candidate[] = [];
  for (const entry of entries) {
    if (!isObject(entry) || typeof entry.Config !== 'string' || !isTexts(entry.Layers)) {
      throw invalid('manifest.json: an image needs Config and Layers');
    }
    const tags = entry.RepoTags ?? [];
    if (!isTexts(tags)) throw invalid('manifest.json: RepoTags is not a list of names');
    const names = tags.map(canonicalTag);
    const info = archive.blob(entry.Config);
    const config = parseConfig(await content.read(info.digest), entry.Config);
    const layers: Descriptor[] = [];
    for (const path of entry.Layers) {
      const { digest, size } = archive.blob(path);
      layers.push({ mediaType: await layerTypeOf(content.pathOf(digest)), digest, size });
    }
    const same = received.get(info.digest);
    const isReceived = same?.layers.map((layer) => layer.digest).join() === layers.map((layer) => layer.digest).join();
    const manifestDigest =
      same !== undefined && isReceived
        ? same.digest
        : await storeManifest(
            content,
            { mediaType: mediaTypes.ociConfig, digest: info.digest, size: info.size },
            layers,
          );
    brought.add(manifestDigest);
    candidates.push({
      id: info.digest,
      config,
      layers: same !== undefined && isReceived ? same.layers : layers,
      manifestDigest,
      tags: names,
    });
  }
  return candidates;
}

/** Manifests that a docker 25 archive carries beside manifest.json, by config: kept, so that digests stay. */
async function receivedManifests(archive: LoadedArchive, content: ContentStore) {
  const found = new Map<Digest, { digest: Digest; layers: Descriptor[] }>();
  const bytes = archive.documents.get('index.json');
  if (bytes === undefined) return found;
  const index = parseManifestOrIndex(bytes, 'index.json');
  for (const { digest } of isIndex(index) ? index.manifests : []) {
    const info = archive.blob(blobPath(digest));
    const manifest = parseManifestOrIndex(await content.read(info.digest), digest);
    if (!isIndex(manifest)) found.set(manifest.config.digest, { digest, layers: manifest.layers });
  }
  return found;
}

async function fromLayout(archive: LoadedArchive, content: ContentStore, platform: Platform): Promise<Candidate[]> {
  const bytes = archive.documents.get('index.json');
  if (bytes === undefined) throw invalid('invalid archive: does not contain a manifest.json');
  const index = parseManifestOrIndex(bytes, 'index.json');
  const candidates: Candidate[] = [];
  for (const descriptor of isIndex(index) ? index.manifests : []) {
    const found = await findManifest({ archive, content, platform }, descriptor, 0);
    if (found === undefined) continue;
    const { digest, manifest } = found;
    const config = parseConfig(await content.read(archive.blob(blobPath(manifest.config.digest)).digest), digest);
    for (const layer of manifest.layers) archive.blob(blobPath(layer.digest));
    const { annotations = {} } = descriptor;
    const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
    // A ref.name may be a bare tag, which names nothing by itself.
    const tags = name !== undefined && /[:/]/.test(name) ? [canonicalTag(name)] : [];
    candidates.push({ id: manifest.config.digest, config, layers: manifest.layers, manifestDigest: digest, tags });
  }
  return candidates;
}

/** The manifest for the platform behind a descriptor, following indexes; undefined when there is none. */
async function findManifest(
  scope: { readonly archive: LoadedArchive; readonly content: ContentStore; readonly platform: Platform },
  descriptor: Descriptor,
  depth: number,
): Promise<{ digest: Digest; manifest: Manifest } | undefined> {
  if (depth > maxIndexDepth) throw invalid('the indexes of the archive name each other too deeply');
  if (descriptor.platform !== undefined && !platformMatches(descriptor.platform, scope.platform)) return undefined;
  const { digest } = scope.archive.blob(blobPath(descriptor.digest));
  const document: Manifest | Index = parseManifestOrIndex(await scope.content.read(digest), digest);
  if (!isIndex(document)) return { digest, manifest: document };
  for (const inner of document.manifests) {
    const found = await findManifest(scope, inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function storeManifest(content: ContentStore, config: Descriptor, layers: Descriptor[]): Promise<Digest> {
  return (await putBlob(content, makeManifest(config, layers).bytes)).digest;
}

function blobPath(digest: Digest): string {
  if (!isDigest(digest)) throw invalid(`invalid digest "${digest}"`);
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

function canonicalTag(name: string): string {
  const reference = parseReference(name);
  if (reference.tag === undefined || reference.digest !== undefined) throw invalid(`invalid tag "${name}"`);
  return canonicalString(reference);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
