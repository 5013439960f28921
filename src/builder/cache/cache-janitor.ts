import { invalid, parseDuration, shortId } from '#base';
import { chainIds, type ImageReader } from '#image';
import type { Builder } from '../builder.ts';
import type { CacheMounts } from '../ops/cache-mounts.ts';
import type { CacheRecord, CacheRecords } from './cache-records.ts';

type PruneOptions = Parameters<Builder['prune']>[0];

/** What the janitor works with. */
export interface JanitorServices {
  readonly records: CacheRecords;
  readonly images: Pick<ImageReader, 'list'>;
  readonly cacheMounts: CacheMounts;
  /** Removes what neither images nor cache records need any more; returns bytes freed. */
  readonly collectGarbage: () => Promise<number>;
}

const filterNames = new Set([
  'label',
  'label!',
  'until',
  'unused-for',
  'id',
  'type',
  'description',
  'inuse',
  'shared',
  'private',
  'parents',
]);

/** Disk usage and removal of build cache records. */
export class CacheJanitor {
  readonly #services: JanitorServices;

  constructor(services: JanitorServices) {
    this.#services = services;
  }

  /** One entry per record, most recently used first. `shared` layers are part of an image too. */
  async diskUsage(): ReturnType<Builder['diskUsage']> {
    const shared = await this.#imageChains();
    return this.#services.records
      .list()
      .map((record) => ({
        id: shortId(record.key),
        type: 'regular',
        description: record.description,
        inUse: false,
        shared: record.chainId !== undefined && shared.has(record.chainId),
        size: record.size,
        createdAt: record.createdAt,
        lastUsedAt: record.lastUsedAt,
        usageCount: record.usageCount,
      }))
      .reverse();
  }

  /**
   * Removes records that no image shares, all of them with `all` (and the caches of RUN mounts), as far as the filters
   * let; with `keepBytes` the least recently used go first, until what is left fits. Throws `invalid` for a bad filter.
   */
  async prune(options: PruneOptions): ReturnType<Builder['prune']> {
    const { records, cacheMounts } = this.#services;
    const matches = recordFilter(options.filters);
    const shared = await this.#imageChains();
    const isShared = (record: CacheRecord) => record.chainId !== undefined && shared.has(record.chainId);
    const candidates = records.list().filter((record) => matches(record) && (options.all || !isShared(record)));
    const chosen = options.keepBytes === undefined ? candidates : leastRecent(candidates, options.keepBytes);
    records.remove(chosen.map((record) => record.key));
    if (options.all && Object.keys(options.filters).length === 0 && options.keepBytes === undefined) {
      await cacheMounts.clear();
    }
    const reclaimed = chosen.length === 0 ? 0 : await this.#services.collectGarbage();
    return { deleted: chosen.map((record) => shortId(record.key)), reclaimed };
  }

  async #imageChains(): Promise<Set<string>> {
    const images = await this.#services.images.list();
    return new Set(images.flatMap((image) => chainIds(image.config.rootfs.diff_ids)));
  }
}

function leastRecent(records: readonly CacheRecord[], keepBytes: number): CacheRecord[] {
  let left = records.reduce((sum, record) => sum + record.size, 0);
  return records.filter((record) => {
    if (left <= keepBytes) return false;
    left -= record.size;
    return true;
  });
}

function recordFilter(filters: PruneOptions['filters']): (record: CacheRecord) => boolean {
  const tests: ((record: CacheRecord) => boolean)[] = [];
  for (const [name, values] of Object.entries(filters)) {
    if (!filterNames.has(name)) throw invalid(`invalid filter '${name}'`);
    if (name === 'until' || name === 'unused-for') {
      const before = Date.now() - Math.min(...values.map(ageMs));
      tests.push((record) => record.lastUsedAt < before);
    } else if (name === 'id') tests.push((record) => values.some((id) => shortId(record.key).startsWith(shortId(id))));
    // Records have no labels.
    else if (name === 'label') tests.push(() => false);
    else if (name === 'type') tests.push(() => values.includes('regular'));
    else if (name === 'description') tests.push((record) => values.some((text) => record.description.includes(text)));
  }
  return (record) => tests.every((test) => test(record));
}

/** `24h`, or a point in time; as milliseconds before now. */
function ageMs(text: string): number {
  const at = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  return Number.isNaN(at) ? parseDuration(text) / 1e6 : Date.now() - at;
}
