import { type Logger, messageOf } from '#base';
import { createRegistryClient, type RegistryClient } from '#registry-client';
import type { Locks } from '../locks.ts';
import type { RegistryRecords } from '../records/records.ts';
import type { BlobStorage } from '../store/blob-storage.ts';
import { CacheLimits } from './cache-limits.ts';
import { PullThrough, type UpstreamOptions } from './pull-through.ts';

/** What {@link Upstreams} is made of. */
export interface UpstreamsOptions {
  readonly upstreams: readonly UpstreamOptions[];
  readonly records: Pick<RegistryRecords, 'blobs' | 'manifests' | 'cache'>;
  readonly storage: BlobStorage;
  readonly locks: Locks;
  readonly logger: Logger;
  /** Enforces {@link Upstreams.limits} and frees what no repository links. */
  readonly collect: () => Promise<unknown>;
}

/** A cache is brought back below its size when what was fetched since then is so large a part of it. */
const slack = 0.1;

/** The registries that this one caches, by the longest prefix of a repository's name. */
export class Upstreams {
  readonly limits: CacheLimits;
  readonly #options: UpstreamsOptions;
  readonly #client: RegistryClient;
  readonly #caches: readonly { readonly prefix: string; readonly cache: PullThrough }[];

  constructor(options: UpstreamsOptions) {
    const { records, logger, upstreams } = options;
    const prefixes = upstreams.map(({ prefix }) => prefix);
    this.#options = options;
    this.limits = new CacheLimits({
      records: records.cache,
      logger,
      limits: upstreams.map(({ prefix, maxBytes, keepFor }) => ({
        range: { prefix, except: prefixes.filter((other) => other !== prefix && other.startsWith(prefix)) },
        maxBytes,
        keepFor,
      })),
    });
    const client = createRegistryClient({ userAgent: 'berth-registry', attempts: 3 });
    this.#client = client;
    this.#caches = [...upstreams]
      .sort((a, b) => b.prefix.length - a.prefix.length)
      .map((upstream) => ({ prefix: upstream.prefix, cache: this.#open(upstream, client) }));
  }

  /** The cache that a repository is in; undefined for repositories of our own. */
  cacheFor(repository: string): PullThrough | undefined {
    return this.#caches.find(({ prefix }) => repository.startsWith(prefix))?.cache;
  }

  /** Ends connections; writes down what is known of uses. */
  async close(): Promise<void> {
    this.#client.close();
    await this.limits.flush();
  }

  #open(upstream: UpstreamOptions, client: RegistryClient): PullThrough {
    const { records, storage, locks, logger, collect } = this.#options;
    let fetched = 0;
    return new PullThrough({
      upstream,
      client,
      records,
      storage,
      locks,
      logger,
      onUse: (repository, digest) => this.limits.note(repository, digest),
      onFetched: (bytes) => {
        fetched += bytes;
        if (fetched <= (upstream.maxBytes ?? Number.POSITIVE_INFINITY) * slack) return;
        fetched = 0;
        collect().catch((error: unknown) => logger.error('a cache keeps too much', { error: messageOf(error) }));
      },
    });
  }
}
