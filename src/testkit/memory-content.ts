import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { conflict, type Digest, internal, invalid, notFound } from '#base';
import type { BlobInfo, BlobWriter, ContentStore } from '#content';

/** A content store in memory, for tests of rooms that only need the interface. It has no files: `pathOf` throws. */
export class MemoryContentStore implements ContentStore {
  readonly #blobs = new Map<Digest, { bytes: Buffer; createdAt: number }>();
  readonly #kept = new Map<string, Buffer>();
  readonly #openKeys = new Set<string>();

  async info(digest: Digest): Promise<BlobInfo> {
    const { bytes, createdAt } = this.#get(digest);
    return { digest, size: bytes.length, createdAt };
  }

  async has(digest: Digest): Promise<boolean> {
    return this.#blobs.has(digest);
  }

  async read(digest: Digest, limit = 8 * 1024 * 1024): Promise<Buffer> {
    const { bytes } = this.#get(digest);
    if (bytes.length > limit)
      throw invalid(`blob ${digest} has ${bytes.length} bytes, at most ${limit} are allowed here`);
    return bytes;
  }

  async open(digest: Digest, range: { start?: number; end?: number } = {}): Promise<Readable> {
    const { bytes } = this.#get(digest);
    const part = bytes.subarray(range.start ?? 0, range.end === undefined ? bytes.length : range.end + 1);
    return Readable.from(part.length === 0 ? [] : [part], { objectMode: false });
  }

  pathOf(digest: Digest): string {
    throw internal(`${digest} has no path: the store is in memory`);
  }

  async writer(options: { key?: string } = {}): Promise<BlobWriter> {
    const { key } = options;
    if (key !== undefined && this.#openKeys.has(key)) throw conflict(`a write of ${key} is under way already`);
    if (key !== undefined) this.#openKeys.add(key);
    const kept = key === undefined ? undefined : this.#kept.get(key);
    const chunks = kept === undefined ? [] : [kept];
    let ended = false;
    const end = (left?: Buffer) => {
      ended = true;
      if (key === undefined) return;
      this.#openKeys.delete(key);
      if (left === undefined) this.#kept.delete(key);
      else this.#kept.set(key, left);
    };
    const length = () => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return {
      get size() {
        return length();
      },
      get path(): string {
        throw internal('a blob being written has no path: the store is in memory');
      },
      write: async (...added) => {
        if (ended) throw internal('write to a blob writer that has ended');
        for (const chunk of added) chunks.push(Buffer.from(chunk));
      },
      commit: async (expected = {}) => {
        if (ended) throw internal('commit of a blob writer that has ended');
        end();
        const bytes = Buffer.concat(chunks);
        const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
        if (expected.size !== undefined && expected.size !== bytes.length) {
          throw invalid(`blob has ${bytes.length} bytes, want ${expected.size}`);
        }
        if (expected.digest !== undefined && expected.digest !== digest) {
          throw invalid(`blob has digest ${digest}, want ${expected.digest}`);
        }
        const createdAt = Date.now();
        this.#blobs.set(digest, { bytes, createdAt });
        return { digest, size: bytes.length, createdAt };
      },
      abort: async ({ keep } = {}) => {
        if (!ended) end(keep ? Buffer.concat(chunks) : undefined);
      },
    };
  }

  async adopt(path: string, known: { digest: Digest; size: number }): Promise<BlobInfo> {
    const bytes = await readFile(path);
    if (bytes.length !== known.size) throw invalid(`${path} has ${bytes.length} bytes, want ${known.size}`);
    const createdAt = Date.now();
    this.#blobs.set(known.digest, { bytes, createdAt });
    await rm(path);
    return { ...known, createdAt };
  }

  async remove(digest: Digest): Promise<void> {
    this.#blobs.delete(digest);
  }

  async *list(): AsyncIterable<BlobInfo> {
    for (const digest of [...this.#blobs.keys()]) yield this.info(digest);
  }

  #get(digest: Digest): { bytes: Buffer; createdAt: number } {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) throw notFound(`blob ${digest} is not in the store`);
    return blob;
  }
}
