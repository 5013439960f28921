import type { IHasher } from 'hash-wasm';
import { type Digest, internal, invalid } from '#base';
import type { BlobInfo } from '#content';
import type { StorageWriter } from '../store/blob-storage.ts';
import type { Part, S3Bucket } from './s3-bucket.ts';
import { type UploadState, writeState } from './upload-state.ts';

/** What an {@link S3Writer} is made of. */
export interface S3WriterOptions {
  readonly bucket: S3Bucket;
  /** Bytes of a part. */
  readonly partSize: number;
  /** The name of a finished blob. */
  readonly key: (digest: Digest) => string;
  /** Where the state of a keyed write is kept. */
  readonly stateKey: string | undefined;
  readonly state: UploadState;
  /** True where a state is stored already. */
  readonly stored?: boolean;
  /** Called once, when the writer has ended. */
  readonly onEnd: () => void;
}

/**
 * Writes a blob: small ones as one object, others in parts that become an object under `uploads/` and are copied to the
 * blob's name inside the service. The hash is one whose state can be saved, so that going on needs no second reading.
 */
export class S3Writer implements StorageWriter {
  readonly #options: S3WriterOptions;
  readonly #tail: Buffer;
  #tailSize: number;
  #size: number;
  #upload: string | undefined;
  readonly #parts: Part[];
  #hasher: IHasher | undefined;
  #ended = false;

  constructor(options: S3WriterOptions) {
    const { state, partSize } = options;
    this.#options = options;
    this.#tail = Buffer.allocUnsafe(Math.max(partSize, state.tail.length));
    this.#tailSize = state.tail.copy(this.#tail);
    this.#size = state.size;
    this.#upload = state.upload;
    this.#parts = [...state.parts];
  }

  get size(): number {
    return this.#size;
  }

  async write(...chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#ended) throw internal('write to a blob writer that has ended');
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        // A full tail goes only when more comes: the last part may be of any size, and a small blob needs no parts.
        if (this.#tailSize === this.#tail.length) await this.#flush();
        const piece = chunk.subarray(at, at + this.#tail.length - this.#tailSize);
        (await this.#hash()).update(piece);
        this.#tail.set(piece, this.#tailSize);
        this.#tailSize += piece.length;
        this.#size += piece.length;
        at += piece.length;
      }
    }
  }

  async commit(expected: { digest?: Digest; size?: number } = {}): Promise<BlobInfo> {
    if (this.#ended) throw internal('commit of a blob writer that has ended');
    try {
      const digest: Digest = `sha256:${(await this.#hash()).digest('hex')}`;
      const found = { digest, size: this.#size };
      if (expected.size !== undefined && expected.size !== found.size) {
        throw invalid(`blob has ${found.size} bytes, want ${expected.size}`, {
          details: { expected: expected.size, found: found.size },
        });
      }
      if (expected.digest !== undefined && expected.digest !== digest) {
        throw invalid(`blob has digest ${digest}, want ${expected.digest}`, {
          details: { expected: expected.digest, found: digest },
        });
      }
      await this.#publish(this.#options.key(digest));
      await this.#drop();
      this.#end();
      return { ...found, createdAt: Date.now() };
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(options: { keep?: boolean } = {}): Promise<void> {
    if (this.#ended) return;
    try {
      if (options.keep && this.#options.stateKey !== undefined) await this.#keep(this.#options.stateKey);
      else await this.#drop();
    } finally {
      this.#end();
    }
  }

  async #publish(key: string): Promise<void> {
    const { bucket, state } = this.#options;
    const upload = this.#upload;
    if (upload === undefined) return bucket.put(key, this.#tail.subarray(0, this.#tailSize));
    await this.#flush();
    await bucket.finishParts(state.dataKey, upload, this.#parts);
    this.#upload = undefined;
    try {
      await bucket.copy(state.dataKey, key, this.#size);
    } finally {
      await bucket.remove(state.dataKey);
    }
  }

  async #flush(): Promise<void> {
    const { bucket, state } = this.#options;
    this.#upload ??= await bucket.beginParts(state.dataKey);
    const number = this.#parts.length + 1;
    const bytes = this.#tail.subarray(0, this.#tailSize);
    this.#parts.push(await bucket.putPart(state.dataKey, this.#upload, { number, bytes }));
    this.#tailSize = 0;
  }

  async #keep(stateKey: string): Promise<void> {
    const { bucket, state } = this.#options;
    const hash = Buffer.from((await this.#hash()).save()).toString('base64');
    const tail = this.#tail.subarray(0, this.#tailSize);
    const { dataKey } = state;
    await bucket.put(
      stateKey,
      writeState({ dataKey, upload: this.#upload, parts: this.#parts, size: this.#size, hash, tail }),
    );
  }

  async #drop(): Promise<void> {
    const { bucket, state, stateKey, stored } = this.#options;
    if (this.#upload !== undefined) await bucket.dropParts(state.dataKey, this.#upload);
    if (stateKey !== undefined && stored) await bucket.remove(stateKey);
  }

  async #hash(): Promise<IHasher> {
    if (this.#hasher === undefined) {
      const { hash } = this.#options.state;
      const { createSHA256 } = await import('hash-wasm');
      this.#hasher = (await createSHA256()).init();
      if (hash !== undefined) this.#hasher.load(Buffer.from(hash, 'base64'));
    }
    return this.#hasher;
  }

  #end(): void {
    this.#ended = true;
    this.#options.onEnd();
  }
}
