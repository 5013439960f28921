import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  conflict,
  type Digest,
  digestOf,
  errnoOf,
  hexOf,
  invalid,
  isBerthError,
  isDigest,
  newId,
  notFound,
} from '#base';
import { FileBlobWriter } from './blob-writer.ts';
import type { BlobInfo, BlobWriter, ContentStore } from './content.ts';
import { FileHasher } from './file-hasher.ts';

/** Where the local store keeps its files, and how long (ms) it keeps what cut-off keyed writes left. */
export interface ContentStoreOptions {
  readonly root: string;
  /** Default one day. */
  readonly keepIngests?: number;
}

/** Bytes read at a time: a whole layer is often read, and each read is a trip to another thread. */
const readSize = 512 * 1024;
const day = 24 * 3600 * 1000;
const defaultReadLimit = 8 * 1024 * 1024;

/**
 * Opens the store in the directory `root` (made if missing) and removes what earlier processes left half-written.
 * One process at a time may use a root.
 */
export async function openContentStore(options: ContentStoreOptions): Promise<ContentStore> {
  const store = new LocalContentStore(options.root);
  await store.reconcile(options.keepIngests ?? day);
  return store;
}

/**
 * Blobs as files `blobs/sha256/HEX`, written as `ingest/NAME`. A blob gets its name by rename(2) after its bytes were
 * verified and synced, and commit returns after the directory was synced: whatever name is seen holds the right bytes,
 * and a name that was promised survives power loss.
 */
class LocalContentStore implements ContentStore {
  readonly #blobs: string;
  readonly #ingest: string;
  readonly #hasher = new FileHasher();
  readonly #openKeys = new Set<string>();

  constructor(root: string) {
    this.#blobs = join(root, 'blobs', 'sha256');
    this.#ingest = join(root, 'ingest');
  }

  /** Makes the directories; drops unfinished writes, but keyed ones only when older than `keep` ms. */
  async reconcile(keep: number): Promise<void> {
    await mkdir(this.#blobs, { recursive: true, mode: 0o700 });
    await mkdir(this.#ingest, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#ingest)) {
      const path = join(this.#ingest, name);
      const young = Date.now() - (await stat(path)).mtimeMs < keep;
      if (!(name.startsWith('key-') && young)) await rm(path, { recursive: true, force: true });
    }
  }

  async info(digest: Digest): Promise<BlobInfo> {
    try {
      const { size, mtimeMs } = await stat(this.pathOf(digest));
      return { digest, size, createdAt: Math.trunc(mtimeMs) };
    } catch (error) {
      throw missing(digest, error);
    }
  }

  async has(digest: Digest): Promise<boolean> {
    try {
      await this.info(digest);
      return true;
    } catch (error) {
      if (isBerthError(error, 'not-found')) return false;
      throw error;
    }
  }

  async read(digest: Digest, limit: number = defaultReadLimit): Promise<Buffer> {
    const { size } = await this.info(digest);
    if (size > limit) throw invalid(`blob ${digest} has ${size} bytes, at most ${limit} are allowed here`);
    try {
      return await readFile(this.pathOf(digest));
    } catch (error) {
      throw missing(digest, error);
    }
  }

  async open(digest: Digest, range: { start?: number; end?: number } = {}): Promise<Readable> {
    let fd: FileHandle;
    try {
      fd = await open(this.pathOf(digest), 'r');
    } catch (error) {
      throw missing(digest, error);
    }
    return createReadStream('', { fd, highWaterMark: readSize, ...range });
  }

  pathOf(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }

  async writer(options: { key?: string } = {}): Promise<BlobWriter> {
    const { key } = options;
    const name = key === undefined ? newId() : `key-${hexOf(digestOf(key))}`;
    if (this.#openKeys.has(name)) throw conflict(`a write of ${key} is under way already`);
    this.#openKeys.add(name);
    const path = join(this.#ingest, name);
    const end = () => this.#openKeys.delete(name);
    try {
      const file = await openForWriting(path, key !== undefined);
      const { size } = await file.stat();
      const publish = (from: string, digest: Digest, bytes: number) => this.#publish(from, digest, bytes);
      return new FileBlobWriter({ file, path, size, hasher: this.#hasher, publish, onEnd: end });
    } catch (error) {
      end();
      throw error;
    }
  }

  async adopt(path: string, known: { digest: Digest; size: number }): Promise<BlobInfo> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size !== known.size) throw invalid(`${path} has ${size} bytes, want ${known.size}`);
      await file.datasync();
    } finally {
      await file.close();
    }
    return this.#publish(path, known.digest, known.size);
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.pathOf(digest), { force: true });
  }

  async *list(): AsyncIterable<BlobInfo> {
    for await (const entry of await opendir(this.#blobs, { bufferSize: 256 })) {
      const digest = `sha256:${entry.name}`;
      if (!isDigest(digest)) continue;
      // A blob that was removed since the directory was read is not in the store any more.
      const info = await this.info(digest).catch(() => undefined);
      if (info !== undefined) yield info;
    }
  }

  async #publish(path: string, digest: Digest, size: number): Promise<BlobInfo> {
    // Where the blob is there already this replaces it by equal bytes: readers keep the file they opened.
    await rename(path, this.pathOf(digest));
    const directory = await open(this.#blobs, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    return { digest, size, createdAt: Date.now() };
  }
}

async function openForWriting(path: string, resume: boolean): Promise<FileHandle> {
  if (resume) {
    try {
      return await open(path, 'r+');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return open(path, 'wx+', 0o600);
}

function missing(digest: Digest, error: unknown): unknown {
  return errnoOf(error) === 'ENOENT' ? notFound(`blob ${digest} is not in the store`, { cause: error }) : error;
}
