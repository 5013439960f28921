import type { ContentStore } from '#content';

/**
 * Where the registry keeps the bytes of its blobs: what it needs of a content store, without the parts that only files
 * have (paths), so that an object store can take its place.
 */
export type BlobStorage = Pick<ContentStore, 'info' | 'open' | 'writer' | 'remove' | 'list'>;
