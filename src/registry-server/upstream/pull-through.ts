import { type Digest, isBerthError, type Logger, messageOf } from '#base';
import type { RegistryClient, Repository } from '#registry-client';
import { fault } from '../faults.ts';
import type { Locks } from '../locks.ts';
import { type ManifestTarget, targetText } from '../names.ts';
import type { Referrer, RegistryRecords, StoredManifest } from '../records/records.ts';
import type { BlobSource, BlobStorage } from '../store/blob-storage.ts';
import { readManifest } from '../store/manifest-document.ts';
import { BlobFetch } from './blob-fetch.ts';

/** A part of the registry that is a cache of another one. */
export interface UpstreamOptions {
  /** Repositories below it are `NAME-WITHOUT-PREFIX` there: `ghcr.io/`, or empty for the whole registry. */
  readonly prefix: string;
  /** Host with port if any, such as `docker.io`. */
  readonly registry: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A tag is not compared with the upstream again for so many ms. */
  readonly freshFor: number;
  /** Bytes that blobs may take up; what was not used for the longest time goes first. Default: no bound. */
  readonly maxBytes?: number | undefined;
  /** What was not used for so many ms goes. Default: it stays. */
  readonly keepFor?: number | undefined;
}

/** Manifests of a cached repository. */
export interface ManifestCache {
  /** `stale`: the upstream did not answer, and this is what it had last. Throws MANIFEST_UNKNOWN, UNAVAILABLE, DENIED. */
  manifest(repository: string, target: ManifestTarget): Promise<{ manifest: StoredManifest; stale: boolean }>;
  /** The upstream's tags in ASCII order; undefined where it does not answer. */
  tags(repository: string): Promise<string[] | undefined>;
  /** What the upstream lists as referring to `subject`, by digest; undefined where it does not answer. */
  referrers(repository: string, subject: Digest): Promise<Referrer[] | undefined>;
}

/** Blobs of a cached repository. */
export interface BlobCache {
  /** Throws BLOB_UNKNOWN, UNAVAILABLE, DENIED. */
  blob(repository: string, digest: Digest): Promise<BlobSource>;
}

/** What a {@link PullThrough} is made of. */
export interface PullThroughOptions {
  readonly upstream: UpstreamOptions;
  readonly client: RegistryClient;
  readonly records: Pick<RegistryRecords, 'blobs' | 'manifests'>;
  readonly storage: BlobStorage;
  readonly locks: Locks;
  readonly logger: Logger;
  /** Hears of every manifest and blob that a client gets from here. */
  readonly onUse: (repository: string, digest: Digest) => void;
  /** Hears of every blob that was fetched. */
  readonly onFetched: (bytes: number) => void;
}

/** A tag that is there already waits for the upstream's word so many ms. */
const checkTimeout = 10_000;
/** And a list this long. */
const listTimeout = 30_000;
/** An upstream that failed is not asked again about what is there for so many ms, or for `freshFor` if that is less. */
const failureLasts = 30_000;
const maxTags = 100_000;
const maxReferrers = 10_000;
const maxRepositories = 1000;

/** A cache of another registry: fetches what is missing, and goes on with what it has when the other does not answer. */
export class PullThrough implements ManifestCache, BlobCache {
  readonly #options: PullThroughOptions;
  /** Repositories of the upstream, with the tokens that were got for them. */
  readonly #repositories = new Map<string, Repository>();
  readonly #fetches = new Map<Digest, BlobFetch>();
  #failsUntil = 0;
  readonly #manifests = new Map<string, Promise<{ manifest: StoredManifest; stale: boolean }>>();

  constructor(options: PullThroughOptions) {
    this.#options = options;
  }

  manifest(repository: string, target: ManifestTarget): Promise<{ manifest: StoredManifest; stale: boolean }> {
    const key = `${repository} ${targetText(target)}`;
    const running = this.#manifests.get(key);
    if (running !== undefined) return running;
    const found = this.#manifest(repository, target).finally(() => this.#manifests.delete(key));
    this.#manifests.set(key, found);
    // A failure is told to those who wait for `found`.
    found.then(({ manifest }) => this.#options.onUse(repository, manifest.digest)).catch(() => undefined);
    return found;
  }

  async blob(repository: string, digest: Digest): Promise<BlobSource> {
    const { records, storage, onUse } = this.#options;
    onUse(repository, digest);
    const link = await records.blobs.findBlob(repository, digest);
    if (link !== undefined && (await isWhole(storage, link))) {
      return { size: link.size, path: storage.pathOf?.(digest), open: (range) => storage.open(digest, range) };
    }
    const size = await this.#ask(() => this.#remote(repository).blobSize(digest), `blob ${digest}`);
    if (size === undefined) throw fault('BLOB_UNKNOWN', `blob ${digest} unknown to the upstream of ${repository}`);
    return {
      size,
      path: undefined,
      open: async (range) => this.#fetch(repository, { digest, size }).read(range),
    };
  }

  async tags(repository: string): Promise<string[] | undefined> {
    const list = () => take(this.#remote(repository).tags(inTime()), maxTags);
    const tags = await this.#list('tags', repository, list);
    return tags?.sort();
  }

  async referrers(repository: string, subject: Digest): Promise<Referrer[] | undefined> {
    const list = () => take(this.#remote(repository).referrers(subject, inTime()), maxReferrers);
    const found = await this.#list('referrers', repository, list);
    return found
      ?.map(({ digest, mediaType, size, artifactType, annotations }) => {
        return { digest, mediaType, size, artifactType, annotations };
      })
      .sort((a, b) => (a.digest < b.digest ? -1 : 1));
  }

  async #manifest(repository: string, target: ManifestTarget): Promise<{ manifest: StoredManifest; stale: boolean }> {
    const { records, upstream, logger } = this.#options;
    const cached = await records.manifests.findManifest(repository, target);
    // What a digest names never changes.
    if (cached !== undefined && 'digest' in target) return { manifest: cached, stale: false };
    const what = `manifest ${repository}:${targetText(target)}`;
    if (cached === undefined || !('tag' in target)) {
      return { manifest: await this.#ask(() => this.#fetchManifest(repository, target), what), stale: false };
    }
    const checked = (await records.manifests.tagCheckedAt(repository, target.tag)) ?? 0;
    const now = Date.now();
    if (now - checked < upstream.freshFor) return { manifest: cached, stale: false };
    if (now < this.#failsUntil) return { manifest: cached, stale: true };
    try {
      const signal = AbortSignal.timeout(checkTimeout);
      const { digest } = await this.#remote(repository).resolve(target.tag, { signal });
      const same = digest === cached.digest;
      return {
        manifest: same
          ? await this.#renew(repository, target.tag, cached)
          : await this.#fetchManifest(repository, target),
        stale: false,
      };
    } catch (error) {
      if (isBerthError(error, 'not-found') && !isRefusal(error)) {
        await records.manifests.deleteTag(repository, target.tag);
        throw fault('MANIFEST_UNKNOWN', `${what} is gone from its upstream`);
      }
      this.#noteFailure();
      logger.warn('serving a cached tag, its upstream fails', { repository, tag: target.tag, error: messageOf(error) });
      return { manifest: cached, stale: true };
    }
  }

  /** Asks the upstream for a list; undefined where it does not answer. */
  async #list<T>(what: string, repository: string, ask: () => Promise<T[]>): Promise<T[] | undefined> {
    if (Date.now() < this.#failsUntil) return undefined;
    try {
      return await ask();
    } catch (error) {
      if (isBerthError(error, 'not-found') && !isRefusal(error)) {
        throw fault('NAME_UNKNOWN', `${repository}: ${messageOf(error)}`);
      }
      this.#noteFailure();
      this.#options.logger.warn('an upstream does not list', { what, repository, error: messageOf(error) });
      return undefined;
    }
  }

  #noteFailure(): void {
    this.#failsUntil = Date.now() + Math.min(failureLasts, this.#options.upstream.freshFor);
  }

  async #fetchManifest(repository: string, target: ManifestTarget): Promise<StoredManifest> {
    const { descriptor, bytes } = await this.#remote(repository).manifest(targetText(target));
    const manifest = readManifest(bytes, descriptor.mediaType);
    await this.#options.records.manifests.putManifest(repository, manifest, {
      tag: 'tag' in target ? target.tag : undefined,
      requireReferences: false,
      quotas: [],
    });
    return manifest;
  }

  /** Notes that a tag was compared just now. */
  async #renew(repository: string, tag: string, manifest: StoredManifest): Promise<StoredManifest> {
    await this.#options.records.manifests.putManifest(
      repository,
      { ...readManifest(manifest.bytes, manifest.mediaType) },
      { tag, requireReferences: false, quotas: [] },
    );
    return manifest;
  }

  #fetch(repository: string, blob: { digest: Digest; size: number }): BlobFetch {
    const { storage, records, locks, onFetched } = this.#options;
    const running = this.#fetches.get(blob.digest);
    if (running !== undefined) return running;
    const descriptor = { ...blob, mediaType: 'application/octet-stream' };
    const fetch = new BlobFetch({
      ...blob,
      storage,
      open: (offset) => this.#remote(repository).openBlob(descriptor, { offset }),
      commit: (writer) =>
        locks.run(blob.digest, async () => {
          await writer.commit(blob);
          await records.blobs.linkBlob(repository, blob, { quotas: [] });
        }),
    });
    this.#fetches.set(blob.digest, fetch);
    const end = () => this.#fetches.delete(blob.digest);
    fetch.done.then(end, end);
    // Those who read it hear of the failure.
    fetch.done.then(() => onFetched(blob.size)).catch(() => undefined);
    return fetch;
  }

  #remote(repository: string): Repository {
    const known = this.#repositories.get(repository);
    if (known !== undefined) return known;
    const { client, upstream } = this.#options;
    const path = repository.slice(upstream.prefix.length);
    const library = upstream.registry === 'docker.io' && !path.includes('/');
    const { username, password } = upstream;
    const domain = upstream.registry;
    const remote = client.repository({ domain, path: library ? `library/${path}` : path }, { username, password });
    const [oldest] = this.#repositories.keys();
    if (oldest !== undefined && this.#repositories.size >= maxRepositories) this.#repositories.delete(oldest);
    this.#repositories.set(repository, remote);
    return remote;
  }

  /** Runs a question to the upstream; its failures in the words of this registry. */
  async #ask<T>(question: () => Promise<T>, what: string): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (isRefusal(error)) {
        throw fault('DENIED', `${what}: the upstream registry refuses: ${messageOf(error)}`);
      }
      if (isBerthError(error, 'not-found')) throw fault('MANIFEST_UNKNOWN', `${what} unknown: ${messageOf(error)}`);
      throw fault('UNAVAILABLE', `${what} is not cached and its upstream fails: ${messageOf(error)}`);
    }
  }
}

function inTime(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(listTimeout) };
}

/** True where the upstream wants another login: Docker's words for that, which the client uses, are "not found" too. */
function isRefusal(error: unknown): boolean {
  return isBerthError(error) && (['unauthorized', 'forbidden'].includes(error.kind) || error.details.status === 403);
}

async function take<T>(list: AsyncIterable<T>, limit: number): Promise<T[]> {
  const entries: T[] = [];
  for await (const entry of list) if (entries.push(entry) >= limit) break;
  return entries;
}

async function isWhole(storage: BlobStorage, blob: { digest: Digest; size: number }): Promise<boolean> {
  const info = await storage.info(blob.digest).catch(() => undefined);
  return info?.size === blob.size;
}
