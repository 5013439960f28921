import { normalize } from 'node:path/posix';
import { addAbortSignal, type Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { archiveFault } from '#archive';
import { BerthError, canceled, type Digest, invalid, isDigest, messageOf } from '#base';
import { type BlobInfo, type ByteSource, type ContentStore, ingest } from '#content';
import type { LayerStage } from './layer-stage.ts';
import { openArchive } from './open-archive.ts';

/** An archive has no more members than this, and its documents no more bytes. */
const maxMembers = 100_000;
const maxDocument = 8 * 1024 * 1024;
/** Members from so many bytes on may be layers worth unpacking at once. */
const minStaged = 64 * 1024;
const documents: ReadonlySet<string> = new Set(['manifest.json', 'index.json', 'repositories', 'oci-layout']);

/** One member while it is read: a stream of its bytes. */
interface Member extends ByteSource {
  readonly header: Header;
  resume(): unknown;
}

/** What {@link readImageArchive} tells, and what it is told. */
export interface ReadArchiveOptions {
  /** Hears each digest before it is asked for or written; where the name does not tell it, after. */
  readonly onBlob: (digest: Digest) => Promise<void>;
  /** Hears each digest that was not there. */
  readonly onNew: (digest: Digest) => void;
  /** Unpacks what may be layers while they are read. */
  readonly stage: LayerStage;
  readonly signal?: AbortSignal;
}

/** What an image archive held: documents in memory, every other file as a blob in the store. */
export interface LoadedArchive {
  readonly documents: ReadonlyMap<string, Buffer>;
  /** The blob of a member; links inside the archive are followed. Throws `invalid`. */
  blob(path: string): BlobInfo;
}

/**
 * Reads an image archive once, front to back, into the content store: blobs come before the documents that name them.
 * Members named by a digest must have it.
 */
export async function readImageArchive(
  content: ContentStore,
  archive: Readable,
  options: ReadArchiveOptions,
): Promise<LoadedArchive> {
  const found = new Map<string, Buffer>();
  const blobs = new Map<string, BlobInfo>();
  const links = new Map<string, string>();
  const plain = await openArchive(options.signal === undefined ? archive : addAbortSignal(options.signal, archive));
  const entries = extract();
  plain.once('error', (error) => entries.destroy(error));
  plain.pipe(entries);
  try {
    let members = 0;
    for await (const entry of entries as AsyncIterable<Member>) {
      members += 1;
      if (members > maxMembers) throw invalid(`the archive has more than ${maxMembers} members`);
      const path = memberPath(entry.header.name);
      if (isFile(entry.header)) {
        if (documents.has(path)) found.set(path, await readDocument(entry, path));
        else blobs.set(path, await storeMember(content, entry, path, options));
      } else if (entry.header.type === 'symlink' || entry.header.type === 'link') {
        const base = entry.header.type === 'link' ? '' : `${path}/../`;
        links.set(path, memberPath(`${base}${entry.header.linkname ?? ''}`));
      }
      entry.resume();
    }
  } catch (error) {
    if (options.signal?.aborted) throw canceled('loading the archive was canceled');
    const fault = archiveFault(error);
    throw fault instanceof BerthError ? fault : invalid(`bad image archive: ${messageOf(error)}`, { cause: error });
  } finally {
    plain.destroy();
    archive.destroy();
  }
  const blob = (path: string): BlobInfo => {
    const name = memberPath(path);
    const info = blobs.get(name) ?? blobs.get(links.get(name) ?? '');
    if (info === undefined) throw invalid(`the archive has no ${path}, which its manifest names`);
    return info;
  };
  return { documents: found, blob };
}

async function storeMember(
  content: ContentStore,
  entry: Member,
  path: string,
  options: ReadArchiveOptions,
): Promise<BlobInfo> {
  const digest = `sha256:${/^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1]}`;
  const { size = 0 } = entry.header;
  if (!isDigest(digest)) {
    const info = await ingestStaged(content, entry, { size }, options);
    await options.onBlob(info.digest);
    options.onNew(info.digest);
    return info;
  }
  await options.onBlob(digest);
  if (await content.has(digest)) return content.info(digest);
  const info = await ingestStaged(content, entry, { digest, size }, options);
  options.onNew(digest);
  return info;
}

async function ingestStaged(
  content: ContentStore,
  entry: Member,
  expected: { readonly digest?: Digest; readonly size: number },
  { stage }: ReadArchiveOptions,
): Promise<BlobInfo> {
  // Smaller ones are mostly configs and manifests, and quickly unpacked anyway.
  if (expected.size < minStaged) return ingest(content, entry, { expected });
  const staged = stage.begin();
  try {
    const info = await ingest(content, entry, { expected, onWritten: staged.advance });
    staged.finish(info.digest);
    return info;
  } catch (error) {
    staged.abandon();
    throw error;
  }
}

async function readDocument(entry: Member, path: string): Promise<Buffer> {
  const { size = 0 } = entry.header;
  if (size > maxDocument) throw invalid(`${path} of the archive has ${size} bytes, at most ${maxDocument} are allowed`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isFile(header: Header): boolean {
  return header.type === 'file' || header.type === 'contiguous-file';
}

/** A member's name as a plain path; nothing is ever written by that name. */
function memberPath(name: string): string {
  return normalize(`/${name}`).slice(1);
}
