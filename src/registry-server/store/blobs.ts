import { type Digest, isBerthError, type Logger } from '#base';
import { fault } from '../faults.ts';
import type { Locks } from '../locks.ts';
import type { BlobLink, BlobRecords, RegistryEvent, WriteTerms } from '../records/records.ts';
import type { BlobSource, BlobStorage, StorageWriter } from './blob-storage.ts';

/** What {@link Blobs} is made of. */
export interface BlobsOptions {
  readonly storage: BlobStorage;
  readonly records: BlobRecords;
  /** Keyed by digest: a blob's bytes come and go under it. Shared with garbage collection. */
  readonly locks: Locks;
  /** Links not touched for half of this many ms are renewed when a pusher asks for them. */
  readonly grace: number;
  readonly logger: Logger;
}

/** The blobs of repositories: a blob is visible in a repository that links it, and nowhere else. */
export class Blobs {
  readonly #options: BlobsOptions;

  constructor(options: BlobsOptions) {
    this.#options = options;
  }

  /**
   * Size and digest of a repository's blob. Throws BLOB_UNKNOWN. Renews an ageing link: who asks may be a pusher that
   * is about to rely on it.
   */
  async stat(repository: string, digest: Digest): Promise<BlobLink> {
    const { records, grace } = this.#options;
    const link = await records.findBlob(repository, digest);
    if (link === undefined || !(await this.#intact(link))) throw unknown(repository, digest);
    if (link.touchedAt < Date.now() - grace / 2) await records.touchBlob(repository, digest);
    return link;
  }

  /** A blob that {@link Blobs.stat} found, to be sent. */
  source(link: BlobLink): BlobSource {
    const { storage } = this.#options;
    return {
      size: link.size,
      path: storage.pathOf?.(link.digest),
      open: (range) => storage.open(link.digest, range),
    };
  }

  /** Ends a write and links the blob. Throws DIGEST_INVALID, or DENIED by a quota; then nothing stays. */
  async commit(
    repository: string,
    digest: Digest,
    write: { writer: StorageWriter; terms: WriteTerms },
  ): Promise<BlobLink> {
    const { writer, terms } = write;
    return this.#options.locks.run(digest, async () => {
      const info = await writer.commit({ digest }).catch((error: unknown) => {
        if (!isBerthError(error, 'invalid')) throw error;
        throw fault('DIGEST_INVALID', `provided digest did not match uploaded content: ${error.message}`, {
          ...error.details,
        });
      });
      const event = terms.event && { ...terms.event, size: info.size };
      await this.#options.records.linkBlob(repository, info, { ...terms, event });
      return { digest, size: info.size, touchedAt: Date.now() };
    });
  }

  /** Links a blob of `from`; undefined where that repository lacks it. */
  async mount(from: string, repository: string, mount: { digest: Digest; terms: WriteTerms }) {
    const { records } = this.#options;
    const source = await records.findBlob(from, mount.digest);
    if (source === undefined || !(await this.#intact(source))) return undefined;
    const { terms, digest } = mount;
    const event = terms.event && { ...terms.event, size: source.size };
    return records.mountBlob(from, repository, digest, { ...terms, event });
  }

  /** Takes the blob out of the repository. Throws BLOB_UNKNOWN. */
  async remove(repository: string, digest: Digest, event?: RegistryEvent): Promise<void> {
    if (!(await this.#options.records.unlinkBlob(repository, digest, event))) throw unknown(repository, digest);
  }

  /** False where the stored bytes are gone or cut, so that the next push brings them back instead of being told "exists". */
  async #intact(link: BlobLink): Promise<boolean> {
    try {
      const { size } = await this.#options.storage.info(link.digest);
      if (size === link.size) return true;
      this.#options.logger.error('a stored blob has another size than it was pushed with', { ...link, found: size });
    } catch (error) {
      if (!isBerthError(error, 'not-found')) throw error;
      this.#options.logger.error('the bytes of a linked blob are missing', { digest: link.digest });
    }
    return false;
  }
}

function unknown(repository: string, digest: Digest) {
  return fault('BLOB_UNKNOWN', `blob ${digest} unknown to repository ${repository}`, { digest });
}
