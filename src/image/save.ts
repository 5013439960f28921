import { Readable } from 'node:stream';
import { encodeHeader, type TarEntry } from '#archive';
import { canceled, type Digest, hexOf, notFound } from '#base';
import type { ContentStore } from '#content';
import {
  canonicalString,
  type Descriptor,
  familiarName,
  familiarString,
  formatPlatform,
  mediaTypes,
  type Platform,
  parseReference,
  platformMatches,
} from '#oci';
import type { Image } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import type { Leases } from './leases.ts';
import { noSuchImage, resolveImage } from './resolve.ts';

/** What {@link saveImages} needs. */
export interface SaveOptions {
  readonly content: ContentStore;
  readonly records: ImageRecords;
  readonly leases: Leases;
  /** Hears of each image when its bytes begin to flow. */
  readonly onSaved?: (id: Digest) => void;
  /** Refuses an image of another platform. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
}

/** Bytes of a tar's block; members are filled up to it. */
const blockSize = 512;

interface Selected {
  readonly image: Image;
  /** Canonical. */
  readonly tags: Set<string>;
}

/**
 * A tar that is both a docker-archive and an OCI layout (docker 25 and later). Layers go out as they are in the store, so
 * a pulled image keeps its digests; what was verified when it came is not hashed again. Throws `not-found` before it
 * returns.
 */
export async function saveImages(names: readonly string[], options: SaveOptions): Promise<Readable> {
  const { platform, leases, signal } = options;
  const images = select(names, options.records);
  for (const { image } of images) {
    if (platform === undefined || platformMatches(image.config, platform)) continue;
    throw notFound(`no suitable export target found for platform ${formatPlatform(platform)}`);
  }
  return new Promise((begin, reject) => {
    leases
      .with(async (lease) => {
        for (const { image } of images) await lease.hold(...blobsOf(image));
        const members = await membersOf(images, options.content);
        const output = Readable.from(writeArchive(members, options.content), {
          objectMode: false,
          highWaterMark: 1024 * 1024,
        });
        const ended = new Promise((resume) => output.once('close', resume));
        const abort = () => output.destroy(canceled('saving was canceled'));
        if (signal?.aborted) throw canceled('saving was canceled');
        signal?.addEventListener('abort', abort, { once: true });
        for (const { image } of images) options.onSaved?.(image.id);
        begin(output);
        await ended;
        signal?.removeEventListener('abort', abort);
      })
      .catch(reject);
  });
}

/** Docker's rules: an id brings no tag, a tag itself, a bare repository name all its tags. */
function select(names: readonly string[], records: ImageRecords): Selected[] {
  const selected = new Map<Digest, Selected>();
  const add = (image: Image, tags: readonly string[]) => {
    const entry = selected.get(image.id) ?? { image, tags: new Set<string>() };
    for (const tag of tags) entry.tags.add(tag);
    selected.set(image.id, entry);
  };
  for (const name of names) {
    if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) {
      add(resolveImage(records, name), []);
      continue;
    }
    const reference = parseReference(name);
    const canonical = canonicalString(reference);
    const tags =
      reference.tag === undefined && reference.digest === undefined ? records.tagsOf(canonical) : [canonical];
    const found = tags.flatMap((tag) => records.byTag(tag) ?? []);
    for (const [index, image] of found.entries()) add(image, tags.slice(index, index + 1));
    if (found.length > 0) continue;
    const image = attempt(() => resolveImage(records, name));
    if (image !== undefined) add(image, []);
    else if (reference.tag !== undefined) throw notFound('reference does not exist');
    else throw noSuchImage(name);
  }
  return [...selected.values()];
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

function blobsOf(image: Image): Digest[] {
  return [image.id, image.manifestDigest, ...image.layers.map((layer) => layer.digest)];
}

/** A file of the archive: a blob of the store, or a document. */
interface Member {
  readonly name: string;
  readonly size: number;
  readonly content: Digest | Buffer;
}

/** All files in their order. Throws `not-found` when a blob is missing. */
async function membersOf(images: readonly Selected[], content: ContentStore): Promise<Member[]> {
  const members = new Map<string, Member>();
  for (const { image } of images) {
    for (const digest of blobsOf(image)) {
      const name = `blobs/sha256/${hexOf(digest)}`;
      members.set(name, { name, size: (await content.info(digest)).size, content: digest });
    }
  }
  for (const [name, value] of Object.entries(await archiveDocuments(images, content))) {
    const text = Buffer.from(JSON.stringify(value));
    members.set(name, { name, size: text.length, content: text });
  }
  return [...members.values()];
}

async function* writeArchive(members: readonly Member[], content: ContentStore): AsyncGenerator<Buffer> {
  yield headerOf({ name: 'blobs/', type: 'directory', size: 0 });
  yield headerOf({ name: 'blobs/sha256/', type: 'directory', size: 0 });
  for (const member of members) {
    yield headerOf({ name: member.name, type: 'file', size: member.size });
    if (typeof member.content === 'string') yield* (await content.open(member.content)) as AsyncIterable<Buffer>;
    else yield member.content;
    const rest = member.size % blockSize;
    if (rest > 0) yield Buffer.alloc(blockSize - rest);
  }
  yield Buffer.alloc(2 * blockSize);
}

function headerOf(entry: Pick<TarEntry, 'name' | 'type' | 'size'>): Buffer {
  const mode = entry.type === 'directory' ? 0o755 : 0o644;
  const mtime = { seconds: 0, nanoseconds: 0 };
  return encodeHeader({ ...entry, mode, mtime, uid: 0, gid: 0, linkName: '', major: 0, minor: 0 });
}

async function archiveDocuments(images: readonly Selected[], content: ContentStore): Promise<Record<string, unknown>> {
  const manifests: Descriptor[] = [];
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, tags } of images) {
    const bytes = await content.read(image.manifestDigest);
    const { mediaType = mediaTypes.ociManifest } = JSON.parse(bytes.toString('utf8')) as { mediaType?: string };
    const descriptor = { mediaType, digest: image.manifestDigest, size: bytes.length };
    if (tags.size === 0) manifests.push(descriptor);
    for (const tag of tags) {
      const reference = parseReference(tag);
      const version = reference.tag ?? 'latest';
      const annotations = { 'io.containerd.image.name': tag, 'org.opencontainers.image.ref.name': version };
      manifests.push({ ...descriptor, annotations });
      const top = image.layers.at(-1);
      if (top === undefined) continue;
      const name = familiarName(reference);
      repositories[name] = { ...repositories[name], [version]: hexOf(top.digest) };
    }
  }
  const path = (digest: Digest) => `blobs/sha256/${hexOf(digest)}`;
  return {
    'index.json': { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    'manifest.json': images.map(({ image, tags }) => ({
      Config: path(image.id),
      RepoTags: [...tags].map((tag) => familiarString(parseReference(tag))),
      Layers: image.layers.map((layer) => path(layer.digest)),
    })),
    'oci-layout': { imageLayoutVersion: '1.0.0' },
    ...(Object.keys(repositories).length > 0 ? { repositories } : {}),
  };
}
