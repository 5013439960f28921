import { type Digest, type Logger, messageOf } from '#base';
import type { CacheRecords, CacheUse, RepositoryRange } from '../records/records.ts';

/** How much of another registry is kept, and how long. */
export interface CacheLimit {
  readonly range: RepositoryRange;
  /** Bytes of all blobs; undefined for no bound. */
  readonly maxBytes: number | undefined;
  /** Ms that something stays without being used; undefined for ever. */
  readonly keepFor: number | undefined;
}

/** Uses kept in memory before they are written down. */
const batch = 1000;
/** Rows removed in one transaction. */
const step = 200;

/**
 * Keeps caches within their limits: what was not used for the longest time goes, manifests with their tags and the links
 * of blobs, whose bytes go when no repository links them. It can all be fetched again. Uses are gathered in memory and
 * written down before they count: a crash forgets some, which costs no more than a fetch.
 */
export class CacheLimits {
  readonly #records: CacheRecords;
  readonly #limits: readonly CacheLimit[];
  readonly #logger: Logger;
  #uses = new Map<string, CacheUse>();

  constructor(options: { records: CacheRecords; limits: readonly CacheLimit[]; logger: Logger }) {
    this.#logger = options.logger;
    this.#records = options.records;
    this.#limits = options.limits.filter(({ maxBytes, keepFor }) => maxBytes !== undefined || keepFor !== undefined);
  }

  /** Notes that a client asked for a manifest or blob. */
  note(repository: string, digest: Digest): void {
    if (this.#limits.length === 0) return;
    this.#uses.set(`${repository} ${digest}`, { repository, digest, at: Date.now() });
    if (this.#uses.size >= batch) void this.flush();
  }

  /** Writes down what was noted. */
  async flush(): Promise<void> {
    const uses = [...this.#uses.values()];
    this.#uses = new Map();
    try {
      if (uses.length > 0) await this.#records.markUsed(uses);
    } catch (error) {
      this.#logger.warn('uses of a cache are forgotten', { uses: uses.length, error: messageOf(error) });
    }
  }

  /** Removes what is beyond the limits; returns how many manifests and links. */
  async enforce(): Promise<number> {
    await this.flush();
    let removed = 0;
    for (const { range, maxBytes, keepFor } of this.#limits) {
      const beyond = maxBytes === undefined ? undefined : await this.#records.lastUseBeyond(range, maxBytes);
      const before = Math.max(
        keepFor === undefined ? 0 : Date.now() - keepFor,
        // What was used at the same time goes with it: an image is of no use in half.
        beyond === undefined ? 0 : beyond + 1,
      );
      for (let some = 1; some > 0; removed += some) {
        some = await this.#records.removeUnused(range, before, step);
        // SQLite answers at once: let requests that wait go first.
        await new Promise(setImmediate);
      }
    }
    return removed;
  }
}
