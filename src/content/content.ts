import type { Readable } from 'node:stream';
import type { Digest } from '#base';

/** What the store knows of one blob. */
export interface BlobInfo {
  readonly digest: Digest;
  /** Bytes on disk. */
  readonly size: number;
  /** When it was committed, ms since the epoch. */
  readonly createdAt: number;
}

/**
 * A blob being written. Nothing of it is visible in the store until {@link BlobWriter.commit}.
 * Exactly one of commit and abort ends it.
 */
export interface BlobWriter {
  /**
   * Appends the chunks in order; resolves when the bytes were handed to the kernel, so awaiting it gives back-pressure.
   * Await one write before the next.
   */
  write(...chunks: readonly Uint8Array[]): Promise<void>;
  /** The file being written, for helpers that read along by path. Its name changes with the commit. */
  readonly path: string;
  /** Bytes written so far. */
  readonly size: number;
  /**
   * Verifies digest and size where given (throws `invalid` and drops the bytes when they differ), syncs the file,
   * moves it to its name, syncs the directory. A blob that is already there is a success. Returns what was stored.
   */
  commit(expected?: { digest?: Digest; size?: number }): Promise<BlobInfo>;
  /**
   * Drops the bytes; with `keep`, those of a keyed write stay for the next writer of that key. Harmless after commit
   * and when repeated.
   */
  abort(options?: { keep?: boolean }): Promise<void>;
}

/**
 * A store of immutable blobs named by their sha256 (role by role: read, write, manage).
 * It knows nothing of tags, layers or who needs a blob.
 */
export interface ContentStore {
  /** Throws `not-found`. */
  info(digest: Digest): Promise<BlobInfo>;
  has(digest: Digest): Promise<boolean>;
  /** The whole blob; throws `not-found`, and `invalid` above `limit` bytes (default 8 MiB: manifests and configs). */
  read(digest: Digest, limit?: number): Promise<Buffer>;
  /** A stream of the blob, or of the bytes from `start` to `end` inclusive. Throws `not-found` before it returns. */
  open(digest: Digest, range?: { start?: number; end?: number }): Promise<Readable>;
  /** The file that holds the blob: for helpers that read by path. Never write to it. Does not check that it exists. */
  pathOf(digest: Digest): string;

  /**
   * Starts a write. With a `key`, a write that was cut off can be taken up again: `size` then starts above 0. Throws
   * `conflict` while another writer of that key is open.
   */
  writer(options?: { key?: string }): Promise<BlobWriter>;

  /**
   * Takes over the file at `path` (on the store's file system), whose digest and size the caller has found out itself:
   * what a worker of ours has just written and hashed. Syncs it and moves it to its name.
   */
  adopt(path: string, known: { digest: Digest; size: number }): Promise<BlobInfo>;

  /** Removes a blob; one that is not there is a success. The caller makes sure that nobody needs it. */
  remove(digest: Digest): Promise<void>;
  /** All blobs, in no order. */
  list(): AsyncIterable<BlobInfo>;
}
