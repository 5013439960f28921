import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, rm } from 'node:fs/promises';
import { type Digest, internal, invalid } from '#base';
import type { BlobInfo, BlobWriter } from './content.ts';
import type { FileHash, FileHasher } from './file-hasher.ts';

/** Blobs up to so many bytes (manifests, configs, small layers) are hashed here; a thread would cost more than it saves. */
const inlineLimit = 256 * 1024;
/** The hashing thread hears of progress each time so many bytes were written. */
const advanceStep = 1024 * 1024;

/** What a {@link FileBlobWriter} is given. */
export interface FileBlobWriterOptions {
  readonly file: FileHandle;
  readonly path: string;
  /** Bytes that an earlier writer left in the file. */
  readonly size: number;
  readonly hasher: FileHasher;
  /** Moves the synced file to its place in the store. */
  readonly publish: (path: string, digest: Digest, size: number) => Promise<BlobInfo>;
  /** Called once, when the writer has ended. */
  readonly onEnd: () => void;
}

/** Writes a blob into a file of the ingest directory. */
export class FileBlobWriter implements BlobWriter {
  readonly #options: FileBlobWriterOptions;
  #size: number;
  #inline: Hash | undefined;
  #threaded: FileHash | undefined;
  #announced = 0;
  #ended = false;

  constructor(options: FileBlobWriterOptions) {
    this.#options = options;
    this.#size = options.size;
    if (options.size === 0) this.#inline = createHash('sha256');
  }

  get size(): number {
    return this.#size;
  }

  get path(): string {
    return this.#options.path;
  }

  async write(...chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#ended) throw internal('write to a blob writer that has ended');
    const { file } = this.#options;
    const start = this.#size;
    let end = start;
    for (const chunk of chunks) end += chunk.length;
    if (end === start) return;
    // Nearly always all of it; what a full disk or a signal cut off follows chunk by chunk.
    let position = start + (await file.writev([...chunks], start)).bytesWritten;
    for (let at = start, index = 0; position < end; at += chunks[index]?.length ?? 0, index++) {
      const chunk = chunks[index];
      if (chunk === undefined) break;
      while (position < at + chunk.length) {
        const offset = position - at;
        position += (await file.write(chunk, offset, chunk.length - offset, position)).bytesWritten;
      }
    }
    this.#size = end;
    const hash = end <= inlineLimit ? this.#inline : undefined;
    if (hash === undefined) this.#advance();
    else for (const chunk of chunks) hash.update(chunk);
  }

  async commit(expected: { digest?: Digest; size?: number } = {}): Promise<BlobInfo> {
    if (this.#ended) throw internal('commit of a blob writer that has ended');
    try {
      if (expected.size !== undefined && expected.size !== this.#size) {
        throw invalid(`blob has ${this.#size} bytes, want ${expected.size}`, {
          details: { expected: expected.size, found: this.#size },
        });
      }
      // The sync runs while the last bytes are hashed.
      const [digest] = await Promise.all([this.#digest(), this.#options.file.datasync()]);
      if (expected.digest !== undefined && expected.digest !== digest) {
        throw invalid(`blob has digest ${digest}, want ${expected.digest}`, {
          details: { expected: expected.digest, found: digest },
        });
      }
      const info = await this.#options.publish(this.#options.path, digest, this.#size);
      await this.#end();
      return info;
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(options: { keep?: boolean } = {}): Promise<void> {
    if (this.#ended) return;
    try {
      if (!options.keep) await rm(this.#options.path, { force: true });
    } finally {
      await this.#end();
    }
  }

  #advance(): void {
    this.#inline = undefined;
    this.#threaded ??= this.#options.hasher.start(this.#options.path);
    if (this.#size - this.#announced < advanceStep) return;
    this.#announced = this.#size;
    this.#threaded.advance(this.#size);
  }

  async #digest(): Promise<Digest> {
    if (this.#inline !== undefined) return `sha256:${this.#inline.digest('hex')}`;
    this.#threaded ??= this.#options.hasher.start(this.#options.path);
    return this.#threaded.finish(this.#size);
  }

  async #end(): Promise<void> {
    this.#ended = true;
    this.#threaded?.drop();
    this.#options.onEnd();
    await this.#options.file.close();
  }
}
