import { type Logger, messageOf } from '#base';
import type { Locks } from '../locks.ts';
import type { GarbageRecords, SweepCursor } from '../records/records.ts';
import type { BlobStorage } from './blob-storage.ts';
import type { Uploads } from './uploads.ts';

/** What {@link GarbageCollector} is made of. */
export interface GarbageCollectorOptions {
  readonly storage: BlobStorage;
  readonly records: GarbageRecords;
  readonly uploads: Uploads;
  readonly caches: { enforce(): Promise<number> };
  /** Keyed by digest; the same that pushes commit under. */
  readonly locks: Locks;
  /** What is younger than so many ms is left alone: a push may be about to reference it. */
  readonly grace: number;
  /** Uploads older than so many ms end. */
  readonly uploadLifetime: number;
  /** Also remove manifests without a tag. */
  readonly untagged: boolean;
  readonly logger: Logger;
}

/** What one collection removed. */
export interface Collected {
  /** Manifests and links of caches that went by their age or the cache's size. */
  readonly evicted: number;
  readonly manifests: number;
  readonly links: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly uploads: number;
}

/** Rows looked at in one go. */
const batch = 200;

/**
 * Removes what no manifest needs, while pushes and pulls go on. Marking is in the records: a blob lives as long as a
 * repository links it, a link as long as a manifest of that repository references it or it is young. Only a blob without
 * links loses its bytes, under the lock that a push of the same blob commits under; its row goes first, so a crash
 * leaves a file that the next collection finds, never a row without its bytes. Readers keep the file they opened.
 */
export class GarbageCollector {
  readonly #options: GarbageCollectorOptions;
  #running: Promise<Collected> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GarbageCollectorOptions) {
    this.#options = options;
  }

  /** Collects now; joins a collection under way. */
  collect(): Promise<Collected> {
    this.#running ??= this.#collect().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Collects every `interval` ms until {@link stop}. */
  start(interval: number): void {
    this.#timer = setInterval(() => {
      this.collect().catch((error: unknown) =>
        this.#options.logger.error('garbage collection failed', { error: messageOf(error) }),
      );
    }, interval);
    this.#timer.unref();
  }

  /** Ends the schedule and waits for a collection under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  async #collect(): Promise<Collected> {
    const { records, uploads, caches, grace, uploadLifetime, untagged, logger } = this.#options;
    const before = Date.now() - grace;
    const expired = await uploads.expire(Date.now() - uploadLifetime, 1000);
    const evicted = await caches.enforce();
    let manifests = 0;
    // A removed index frees its children for the next round.
    for (let round = 1; untagged && round > 0; manifests += round) {
      round = await sweep((from) => records.removeUntagged({ before, from, limit: batch }));
    }
    const links = await sweep((from) => records.removeLooseLinks({ before, from, limit: batch }));
    await records.removeEmptyRepositories();
    const unlinked = await this.#removeUnlinked();
    const strays = await this.#removeStrays(before);
    const collected = {
      evicted,
      manifests,
      links,
      uploads: expired,
      blobs: unlinked.blobs + strays.blobs,
      bytes: unlinked.bytes + strays.bytes,
    };
    logger.info('garbage collected', collected);
    return collected;
  }

  async #removeUnlinked(): Promise<{ blobs: number; bytes: number }> {
    const { records, storage, locks } = this.#options;
    const removed = { blobs: 0, bytes: 0 };
    let from: SweepCursor;
    do {
      const page = await records.unlinkedBlobs(from, batch);
      for (const digest of page.digests) {
        await locks.run(digest, async () => {
          if (!(await records.forgetBlob(digest))) return;
          const info = await storage.info(digest).catch(() => undefined);
          await storage.remove(digest);
          removed.blobs += 1;
          removed.bytes += info?.size ?? 0;
        });
      }
      from = page.next;
    } while (from !== undefined);
    return removed;
  }

  /** Bytes that no record knows: a crash came between their last step and the record's. */
  async #removeStrays(before: number): Promise<{ blobs: number; bytes: number }> {
    const { records, storage, locks } = this.#options;
    const removed = { blobs: 0, bytes: 0 };
    for await (const info of storage.list()) {
      if (info.createdAt > before || (await records.knowsBlob(info.digest))) continue;
      await locks.run(info.digest, async () => {
        if (await records.knowsBlob(info.digest)) return;
        await storage.remove(info.digest);
        removed.blobs += 1;
        removed.bytes += info.size;
      });
    }
    return removed;
  }
}

/** Repeats a step until it has seen all rows; the sum of what it removed. */
async function sweep(step: (from: SweepCursor) => Promise<{ removed: number; next: SweepCursor }>): Promise<number> {
  let removed = 0;
  let from: SweepCursor;
  do {
    const done = await step(from);
    removed += done.removed;
    from = done.next;
    // SQLite answers at once: let requests that wait go first.
    await new Promise(setImmediate);
  } while (from !== undefined);
  return removed;
}
