import type { Readable } from 'node:stream';
import type { Digest } from '#base';
import type { BlobInfo, BlobWriter, ContentStore } from '#content';

/**
 * Where the registry keeps the bytes of its blobs: what it needs of a content store. A store of files also says where
 * they are, which makes sending them faster; an object store has no paths and can take its place.
 */
export interface BlobStorage
  extends Pick<ContentStore, 'open' | 'remove' | 'list'>,
    Partial<Pick<ContentStore, 'pathOf'>> {
  /** Throws `not-found`. */
  info(digest: Digest): Promise<Pick<BlobInfo, 'digest' | 'size'>>;
  /** As in a content store. */
  writer(options?: { key?: string }): Promise<StorageWriter>;
}

/** A blob being written, wherever that is. */
export type StorageWriter = Omit<BlobWriter, 'path'>;

/** A blob that can be sent. */
export interface BlobSource {
  /** Bytes. */
  readonly size: number;
  /** The file that holds it, where it is one. */
  readonly path: string | undefined;
  /** The bytes, or those from `start` to `end`, both included. */
  open(range?: { start?: number; end?: number }): Promise<Readable>;
}
