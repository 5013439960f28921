import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errnoOf, type Logger, unavailable } from '#base';
import { type AuthOptions, createAuthentication } from './auth/create-authentication.ts';
import type { AccessEntry } from './http/access-log.ts';
import { BlobRoutes } from './http/blob-routes.ts';
import { ListRoutes } from './http/list-routes.ts';
import { ManifestRoutes } from './http/manifest-routes.ts';
import { PushRules } from './http/push-rules.ts';
import { RateLimit } from './http/rate-limit.ts';
import { createRegistryApp } from './http/registry-app.ts';
import { LocalLocks, type Locks } from './locks.ts';
import { Metrics } from './metrics.ts';
import { Notifier, type WebhookOptions } from './notifications.ts';
import type { Quota, RegistryEvent, RegistryRecords } from './records/records.ts';
import type { BlobStorage } from './store/blob-storage.ts';
import { Blobs } from './store/blobs.ts';
import { type Collected, GarbageCollector } from './store/garbage-collector.ts';
import { defaultUploadLifetime, Uploads } from './store/uploads.ts';
import type { UpstreamOptions } from './upstream/pull-through.ts';
import { Upstreams } from './upstream/upstreams.ts';

/** How a registry is set up. All times in ms, all sizes in bytes. */
export interface RegistryOptions {
  readonly storage: BlobStorage;
  readonly records: RegistryRecords;
  /** Locks that all servers on these stores share; default: this is the only one. */
  readonly locks?: Locks | undefined;
  readonly logger: Logger;
  /** Default: everybody may do everything. */
  readonly auth?: AuthOptions | undefined;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly upstreams?: readonly UpstreamOptions[];
  readonly quotas?: readonly Quota[];
  readonly readOnly?: boolean;
  /** Default true. */
  readonly deletes?: boolean;
  readonly webhooks?: readonly WebhookOptions[];
  /** What webhooks are told of; default push, mount and delete. */
  readonly events?: readonly RegistryEvent['action'][];
  readonly garbage?: {
    /** Default one hour; 0 collects on request only. */
    readonly interval?: number;
    /** Default one hour. */
    readonly grace?: number;
    /** Default false. */
    readonly untagged?: boolean;
    /** Default one day. */
    readonly uploadLifetime?: number;
  };
  readonly limits?: {
    /** Largest blob; default 64 GiB. */
    readonly blob?: number;
    /** Requests per second of one address; default 0, no limit. */
    readonly requestRate?: number;
    /** Default 60 s. */
    readonly stallTimeout?: number;
    /** Default 4096. */
    readonly connections?: number;
  };
  readonly accessLog?: ((entry: AccessEntry) => void) | undefined;
  /** Such as `https://registry.example.com`, where a proxy stands before the registry. */
  readonly externalUrl?: string | undefined;
}

/** A registry (OCI distribution-spec 1.1). */
export interface RegistryServer {
  /** Starts serving; port 0 lets the kernel choose. Throws `unavailable` when the address cannot be had. */
  listen(address: { host: string; port: number }): Promise<{ host: string; port: number }>;
  /** Removes what no image needs, beside whatever else goes on. */
  collectGarbage(): Promise<Collected>;
  /** Ends connections and work under way. Uploads can be taken up after the next start. Storage and records stay open. */
  close(): Promise<void>;
}

const hour = 3600_000;

/** Makes a registry on its stores; nothing listens yet. Throws `invalid` for a faulty htpasswd file or key. */
export async function createRegistryServer(options: RegistryOptions): Promise<RegistryServer> {
  const { storage, records, logger, garbage = {}, limits = {} } = options;
  const locks = options.locks ?? new LocalLocks();
  const grace = garbage.grace ?? hour;
  const blobs = new Blobs({ storage, records: records.blobs, locks, grace, logger });
  const maxBlob = limits.blob ?? 64 * 1024 ** 3;
  const uploads = new Uploads({
    storage,
    records: records.uploads,
    blobs,
    locks,
    maxBlob,
    idle: options.locks === undefined ? 60_000 : 0,
  });
  const upstreams = new Upstreams({
    upstreams: options.upstreams ?? [],
    records,
    storage,
    locks,
    logger,
    collect: () => collector.collect(),
  });
  const cacheFor = (repository: string) => upstreams.cacheFor(repository);
  const collector = new GarbageCollector({
    storage,
    records: records.garbage,
    uploads,
    caches: upstreams.limits,
    locks,
    grace,
    uploadLifetime: garbage.uploadLifetime ?? defaultUploadLifetime,
    untagged: garbage.untagged ?? false,
    logger,
  });
  const auth = await createAuthentication(options.auth ?? { kind: 'none' });
  const webhooks = options.webhooks ?? [];
  const notifier = new Notifier({
    records: records.events,
    locks,
    endpoints: webhooks,
    timeout: 10_000,
    backoff: 1000,
    logger,
  });
  const told = new Set(webhooks.length === 0 ? [] : (options.events ?? ['push', 'mount', 'delete']));
  const rules = new PushRules({
    readOnly: options.readOnly ?? false,
    deletes: options.deletes ?? true,
    quotas: options.quotas ?? [],
    records: records.lists,
    isCached: (repository) => cacheFor(repository) !== undefined,
  });
  const server = await createRegistryApp({
    authenticator: auth.authenticator,
    tokens: auth.tokens,
    blobs: new BlobRoutes({ blobs, uploads, cacheFor, rules }),
    manifests: new ManifestRoutes({
      manifests: records.manifests,
      lists: records.lists,
      cacheFor,
      rules,
      onPull: async (exchange, repository, { digest, mediaType, size }) => {
        const event = exchange.event('pull', { repository, digest, mediaType, size });
        if (event === undefined) return;
        await records.events.addEvent(event);
        notifier.wake();
      },
    }),
    listings: new ListRoutes({ lists: records.lists, cacheFor }),
    lists: records.lists,
    uploadsActive: () => uploads.active,
    metrics: new Metrics(),
    limit: new RateLimit(limits.requestRate ?? 0),
    told,
    onChange: () => notifier.wake(),
    accessLog: options.accessLog,
    externalUrl: options.externalUrl,
    stallTimeout: limits.stallTimeout ?? 60_000,
    maxConnections: limits.connections ?? 4096,
    tls: options.tls,
    logger,
  });
  notifier.start();
  const interval = garbage.interval ?? hour;
  if (interval > 0) collector.start(interval);
  return {
    listen: (address) => listen(server, address),
    collectGarbage: () => collector.collect(),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, collector.stop(), notifier.stop()]);
      await uploads.close();
      await upstreams.close();
      await auth.close();
    },
  };
}

async function listen(server: Server, address: { host: string; port: number }) {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        unavailable(`cannot listen on ${address.host}:${address.port}: ${errnoOf(error) ?? error}`, { cause: error }),
      );
    });
    server.listen(address, resolve);
  });
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port };
}
