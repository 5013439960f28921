import type { Digest } from '#base';
import { type Index, mediaTypes } from '#oci';
import { fault } from '../faults.ts';
import { type ManifestTarget, parseBlobDigest, parseTarget, targetText } from '../names.ts';
import type { ListRecords, ManifestRecords, Referrer, StoredManifest } from '../records/records.ts';
import { indexTypes, maxManifest, readManifest } from '../store/manifest-document.ts';
import type { ManifestCache } from '../upstream/pull-through.ts';
import { accepts, wantsImageOnly } from './accept.ts';
import { type Exchange, readBody, wrongMethod } from './exchange.ts';
import { readPage, takePage } from './page.ts';
import type { PushRules } from './push-rules.ts';

/** What {@link ManifestRoutes} needs. */
export interface ManifestRoutesOptions {
  readonly manifests: ManifestRecords;
  readonly lists: ListRecords;
  readonly cacheFor: (repository: string) => ManifestCache | undefined;
  readonly rules: PushRules;
  /** Called for each manifest that was sent, so that pulls can be told of. */
  readonly onPull: (exchange: Exchange, repository: string, manifest: StoredManifest) => Promise<void>;
}

/** Header of an answer that a cache gives because its upstream does not (RFC 7234, section 5.5.1). */
const stale = { Warning: '110 - "Response is Stale"' };

/** `/v2/NAME/manifests/...` and `/v2/NAME/referrers/...`. */
export class ManifestRoutes {
  readonly #options: ManifestRoutesOptions;

  constructor(options: ManifestRoutesOptions) {
    this.#options = options;
  }

  /** One manifest: GET, HEAD, PUT, DELETE. */
  async manifest(exchange: Exchange, repository: string, item: string): Promise<void> {
    switch (exchange.method) {
      case 'GET':
      case 'HEAD':
        return this.#get(exchange, repository, item);
      case 'PUT':
        return this.#put(exchange, repository, item);
      case 'DELETE':
        return this.#delete(exchange, repository, item);
      default:
        throw wrongMethod(exchange.method);
    }
  }

  /** What refers to a digest, as an index; empty for one that nobody knows. */
  async referrers(exchange: Exchange, repository: string, item: string): Promise<void> {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw wrongMethod(exchange.method);
    exchange.require(repository, ['pull']);
    const subject = parseBlobDigest(item);
    const artifactType = exchange.query.get('artifactType') ?? undefined;
    const filter = artifactType === undefined ? {} : { artifactType };
    const cache = this.#options.cacheFor(repository);
    const upstream = await cache?.referrers(repository, subject);
    const { entries, link } = await takePage(readPage(exchange.query), {
      list: async (page) =>
        upstream
          ?.filter(({ digest, artifactType: type }) => digest > page.after && type === (artifactType ?? type))
          .slice(0, page.limit) ?? this.#options.lists.referrers(repository, subject, { ...page, ...filter }),
      key: ({ digest }) => digest,
      path: `/v2/${repository}/referrers/${subject}`,
      ...(artifactType === undefined ? {} : { query: `&artifactType=${encodeURIComponent(artifactType)}` }),
    });
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries.map(descriptorOf) };
    exchange.json(200, index, {
      ...link,
      'Content-Type': mediaTypes.ociIndex,
      ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
      ...(cache !== undefined && upstream === undefined ? stale : {}),
    });
  }

  async #get(exchange: Exchange, repository: string, item: string): Promise<void> {
    exchange.require(repository, ['pull']);
    const target = parseTarget(item);
    const found = await this.#find(repository, target);
    const manifest = await this.#negotiate(exchange, repository, { target, found: found.manifest });
    const headers = {
      'Content-Type': manifest.mediaType,
      'Docker-Content-Digest': manifest.digest,
      ETag: `"${manifest.digest}"`,
      Vary: 'Accept',
      ...(found.stale ? stale : {}),
    };
    if (exchange.header('if-none-match')?.includes(manifest.digest)) return exchange.send(304, headers);
    exchange.send(200, { ...headers, 'Content-Length': manifest.size }, manifest.bytes);
    if (exchange.method === 'GET') await this.#options.onPull(exchange, repository, manifest);
  }

  async #find(repository: string, target: ManifestTarget): Promise<{ manifest: StoredManifest; stale: boolean }> {
    const cache = this.#options.cacheFor(repository);
    if (cache) return cache.manifest(repository, target);
    const manifest = await this.#options.manifests.findManifest(repository, target);
    if (manifest !== undefined) return { manifest, stale: false };
    if (await this.#options.lists.hasRepository(repository)) throw unknown(repository, target);
    throw fault('MANIFEST_UNKNOWN', `repository ${repository} is not known to this registry`, { repository });
  }

  /**
   * The stored manifest where the client takes its type. A client that knows no index, asking for a tag, gets the
   * index's linux/amd64 image, as Docker's registry does.
   */
  async #negotiate(exchange: Exchange, repository: string, at: { target: ManifestTarget; found: StoredManifest }) {
    const { target, found } = at;
    const accept = exchange.header('accept');
    if ('digest' in target || accepts(accept, found.mediaType)) return found;
    const wanted = wantsImageOnly(accept);
    if (indexTypes.includes(found.mediaType)) {
      const index = JSON.parse(found.bytes.toString()) as Index;
      const image = index.manifests.find(
        ({ platform, mediaType }) =>
          platform?.os === 'linux' && platform.architecture === 'amd64' && wanted.includes(mediaType),
      );
      if (image !== undefined) return (await this.#find(repository, { digest: image.digest })).manifest;
    }
    throw fault(
      'MANIFEST_UNKNOWN',
      `${targetText(target)} is of type ${found.mediaType}, which the Accept header does not admit`,
    );
  }

  async #put(exchange: Exchange, repository: string, item: string): Promise<void> {
    exchange.require(repository, ['pull', 'push']);
    const { rules, manifests } = this.#options;
    rules.requireWritable(repository);
    const target = parseTarget(item);
    const tooLarge = fault('MANIFEST_INVALID', `manifest is larger than ${maxManifest} bytes`, { tooLarge: true });
    const bytes = await readBody(exchange.request, maxManifest, tooLarge);
    const type = exchange.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    const manifest = readManifest(bytes, type === '' ? undefined : type);
    if ('digest' in target && target.digest !== manifest.digest) {
      throw fault('DIGEST_INVALID', `manifest has digest ${manifest.digest}, not ${target.digest} as the URL says`);
    }
    const { digest, mediaType, size } = manifest;
    const tag = 'tag' in target ? target.tag : undefined;
    await manifests.putManifest(repository, manifest, {
      tag,
      requireReferences: true,
      quotas: rules.quotasOf(repository),
      event: exchange.event('push', { repository, digest, mediaType, size, ...(tag === undefined ? {} : { tag }) }),
    });
    exchange.send(201, {
      Location: `/v2/${repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...(manifest.subject === undefined ? {} : { 'OCI-Subject': manifest.subject }),
    });
  }

  async #delete(exchange: Exchange, repository: string, item: string): Promise<void> {
    exchange.require(repository, ['delete']);
    const { rules, manifests } = this.#options;
    rules.requireDeletable(repository);
    const target = parseTarget(item);
    const event = exchange.event('delete', { repository, ...target });
    const done =
      'tag' in target
        ? await manifests.deleteTag(repository, target.tag, event)
        : await manifests.deleteManifest(repository, target.digest, event);
    if (!done) throw unknown(repository, target);
    exchange.send(202, {});
  }
}

function unknown(repository: string, target: ManifestTarget) {
  return fault('MANIFEST_UNKNOWN', `manifest ${repository}:${targetText(target)} unknown`, { repository, ...target });
}

function descriptorOf(referrer: Referrer): {
  mediaType: string;
  digest: Digest;
  size: number;
  artifactType?: string;
  annotations?: Readonly<Record<string, string>>;
} {
  const { mediaType, digest, size, artifactType, annotations } = referrer;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
