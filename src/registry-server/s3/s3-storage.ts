import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { conflict, type Digest, digestOf, isBerthError, notFound } from '#base';
import type { BlobInfo } from '#content';
import type { BlobStorage, StorageWriter } from '../store/blob-storage.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { S3Writer } from './s3-writer.ts';
import { freshState, readState, type UploadState } from './upload-state.ts';

/**
 * Blobs in a bucket: `blobs/sha256/HEX` for each, `uploads/` for writes under way, whose state lies there as well. Nothing
 * is kept in this process, so that any server on the bucket can go on with a write that another began.
 */
export class S3Storage implements BlobStorage {
  readonly #bucket: S3Bucket;
  readonly #partSize: number;
  readonly #writeLifetime: number;
  readonly #now: () => number;
  readonly #keys = new Set<string>();

  /**
   * `partSize`: bytes held in memory per write, 5 MiB or more, which the services ask for. `writeLifetime`: a write that
   * nobody took up again for so many ms is dropped by {@link S3Storage.list}, by the clock `now` (default the machine's).
   */
  constructor(bucket: S3Bucket, options: { partSize: number; writeLifetime: number; now?: () => number }) {
    this.#bucket = bucket;
    this.#partSize = options.partSize;
    this.#writeLifetime = options.writeLifetime;
    this.#now = options.now ?? Date.now;
  }

  async info(digest: Digest): Promise<Pick<BlobInfo, 'digest' | 'size'>> {
    return { digest, size: await named(digest, () => this.#bucket.size(blobKey(digest))) };
  }

  async open(digest: Digest, range?: { start?: number; end?: number }): Promise<Readable> {
    return named(digest, () => this.#bucket.open(blobKey(digest), range));
  }

  async writer(options: { key?: string } = {}): Promise<StorageWriter> {
    const { key } = options;
    const bucket = this.#bucket;
    const partSize = this.#partSize;
    const publish = { key: blobKey, stateKey: undefined, onEnd: () => undefined };
    if (key === undefined) {
      return new S3Writer({ ...publish, bucket, partSize, state: freshState(`uploads/${randomUUID()}`) });
    }
    if (this.#keys.has(key)) throw conflict(`somebody writes to ${key} already`);
    this.#keys.add(key);
    try {
      const folder = `uploads/${digestOf(key).slice('sha256:'.length)}`;
      const stateKey = `${folder}/state`;
      const stored = await bucket.read(stateKey);
      const state = stored && readState(stored);
      return new S3Writer({
        ...publish,
        bucket,
        partSize,
        stateKey,
        state: state ?? freshState(`${folder}/${randomUUID()}`),
        stored: stored !== undefined,
        onEnd: () => this.#keys.delete(key),
      });
    } catch (error) {
      this.#keys.delete(key);
      throw error;
    }
  }

  async remove(digest: Digest): Promise<void> {
    await this.#bucket.remove(blobKey(digest));
  }

  /** All blobs. Writes that were given up long ago go on the way. */
  async *list(): AsyncGenerator<BlobInfo> {
    await this.#dropAbandoned(this.#now() - this.#writeLifetime);
    for await (const { key, size, writtenAt } of this.#bucket.list('blobs/sha256/')) {
      const hex = key.slice('blobs/sha256/'.length);
      if (/^[0-9a-f]{64}$/.test(hex)) yield { digest: `sha256:${hex}`, size, createdAt: writtenAt };
    }
  }

  async #dropAbandoned(before: number): Promise<void> {
    for await (const { key, writtenAt } of this.#bucket.list('uploads/')) {
      if (writtenAt >= before) continue;
      const state = key.endsWith('/state') ? await this.#stateAt(key) : undefined;
      if (state?.upload !== undefined) await this.#bucket.dropParts(state.dataKey, state.upload);
      await this.#bucket.remove(key);
    }
    // A server that died within a request left parts that no state names, and one that died copying some of a blob.
    for (const prefix of ['uploads/', 'blobs/']) {
      for await (const { key, id, begunAt } of this.#bucket.listParts(prefix)) {
        if (begunAt >= before) continue;
        const state = await this.#stateAt(`${key.slice(0, key.lastIndexOf('/'))}/state`);
        if (state?.upload !== id) await this.#bucket.dropParts(key, id);
      }
    }
  }

  async #stateAt(key: string): Promise<UploadState | undefined> {
    const stored = await this.#bucket.read(key);
    return stored && readState(stored);
  }
}

function blobKey(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

async function named<T>(digest: Digest, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw isBerthError(error, 'not-found') ? notFound(`blob ${digest} is not in the bucket`) : error;
  }
}
