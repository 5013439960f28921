import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { canceled, type Digest, hexOf, notFound } from '#base';
import type { ContentStore } from '#content';
import { canonicalString, type Descriptor, familiarName, familiarString, mediaTypes, parseReference } from '#oci';
import type { Image } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import type { Leases } from './leases.ts';
import { noSuchImage, resolveImage } from './resolve.ts';

/** What {@link saveImages} needs. */
export interface SaveOptions {
  readonly content: ContentStore;
  readonly records: ImageRecords;
  readonly leases: Leases;
  readonly signal?: AbortSignal;
}

interface Selected {
  readonly image: Image;
  /** Canonical. */
  readonly tags: Set<string>;
}

/**
 * A tar that is both a docker-archive and an OCI layout (docker 25 and later). Layers go out as they are in the store, so
 * a pulled image keeps its digests. Throws `not-found` before it returns.
 */
export async function saveImages(names: readonly string[], options: SaveOptions): Promise<Readable> {
  const images = select(names, options.records);
  const tar = pack();
  // Bytes flow as fast as the reader takes them: the packer is only read on demand.
  const output = Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false, highWaterMark: 1024 * 1024 });
  const fail = (error: unknown) => {
    const cause = error instanceof Error ? error : new Error(String(error));
    tar.destroy(cause);
    output.destroy(cause);
  };
  const abort = () => fail(canceled('saving was canceled'));
  options.signal?.addEventListener('abort', abort, { once: true });
  output.once('close', () => tar.destroy());
  await new Promise<void>((ready, reject) => {
    const writing = options.leases.with(async (lease) => {
      for (const { image } of images) await lease.hold(...blobsOf(image));
      for (const { image } of images) for (const digest of blobsOf(image)) await options.content.info(digest);
      ready();
      await writeArchive(tar, images, options.content);
      tar.finalize();
    });
    writing
      .catch((error: unknown) => {
        reject(error);
        fail(error);
      })
      .finally(() => options.signal?.removeEventListener('abort', abort));
  });
  return output;
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

async function writeArchive(tar: Pack, images: readonly Selected[], content: ContentStore): Promise<void> {
  const mtime = new Date(0);
  await writeEntry(tar, { name: 'blobs/', type: 'directory', mode: 0o755, mtime });
  await writeEntry(tar, { name: 'blobs/sha256/', type: 'directory', mode: 0o755, mtime });
  const written = new Set<Digest>();
  for (const { image } of images) {
    for (const digest of blobsOf(image)) {
      if (written.has(digest)) continue;
      written.add(digest);
      const { size } = await content.info(digest);
      const entry = tar.entry({ name: `blobs/sha256/${hexOf(digest)}`, size, mode: 0o644, mtime });
      await copyInto(entry, await content.open(digest));
    }
  }
  const documents = await archiveDocuments(images, content);
  for (const [name, value] of Object.entries(documents)) {
    await writeEntry(tar, { name, mode: 0o644, mtime }, JSON.stringify(value));
  }
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

/** Fails when the entry is destroyed, which happens when nobody reads the archive any more. */
async function copyInto(entry: ReturnType<Pack['entry']>, source: Readable): Promise<void> {
  const closed = new Promise<never>((_, reject) => {
    entry.once('close', () => reject(canceled('the reader of the archive is gone')));
  });
  closed.catch(() => undefined);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (!entry.write(chunk))
      await Promise.race([new Promise<void>((resume) => entry.once('drain', () => resume())), closed]);
  }
  entry.end(undefined);
}

function writeEntry(tar: Pack, header: Parameters<Pack['entry']>[0], text = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, text, (error) => (error ? reject(error) : resolve()));
  });
}
