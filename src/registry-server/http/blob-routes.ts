import { pipeline } from 'node:stream/promises';
import type { Digest } from '#base';
import { fault } from '../faults.ts';
import { parseBlobDigest, parseRepositoryName } from '../names.ts';
import type { BlobLink, WriteTerms } from '../records/records.ts';
import type { BlobSource } from '../store/blob-storage.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Uploads } from '../store/uploads.ts';
import type { BlobCache } from '../upstream/pull-through.ts';
import { parseContentRange, parseRange } from './byte-range.ts';
import { uploadRange } from './error-answer.ts';
import { blobType, type Exchange, wrongMethod } from './exchange.ts';
import { FileSender } from './file-sender.ts';
import type { PushRules } from './push-rules.ts';

/** What {@link BlobRoutes} needs. */
export interface BlobRoutesOptions {
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  /** The cache that a repository's blobs come from; undefined for repositories of our own. */
  readonly cacheFor: (repository: string) => BlobCache | undefined;
  readonly rules: PushRules;
}

/** `/v2/NAME/blobs/...`. */
export class BlobRoutes {
  readonly #options: BlobRoutesOptions;
  readonly #files = new FileSender();

  constructor(options: BlobRoutesOptions) {
    this.#options = options;
  }

  /** One blob: GET, HEAD, DELETE. */
  async blob(exchange: Exchange, repository: string, item: string): Promise<void> {
    const { method } = exchange;
    if (method === 'DELETE') return this.#remove(exchange, repository, item);
    if (method !== 'GET' && method !== 'HEAD') throw wrongMethod(method);
    exchange.require(repository, ['pull']);
    const digest = parseBlobDigest(item);
    const cache = this.#options.cacheFor(repository);
    const source = cache ? await cache.blob(repository, digest) : await this.#stored(repository, digest);
    await this.#send(exchange, digest, source);
  }

  /** `POST /v2/NAME/blobs/uploads/`: begins an upload, takes a whole blob, or mounts one. */
  async uploads(exchange: Exchange, repository: string): Promise<void> {
    if (exchange.method !== 'POST') throw wrongMethod(exchange.method);
    exchange.require(repository, ['pull', 'push']);
    const { rules, uploads } = this.#options;
    rules.requireWritable(repository);
    const mount = exchange.query.get('mount');
    if (mount !== null && (await this.#mount(exchange, repository, parseBlobDigest(mount)))) return;
    const room = await rules.room(repository);
    const digest = exchange.query.get('digest');
    if (digest !== null) {
      const wanted = parseBlobDigest(digest);
      const terms = this.#pushed(exchange, repository, wanted);
      return created(
        exchange,
        repository,
        await uploads.put(repository, wanted, { body: exchange.request, room, terms }),
      );
    }
    if (room <= 0) throw fault('DENIED', `the quota of ${repository} is used up; delete images you do not need`);
    const id = await uploads.begin(repository);
    exchange.send(202, progress(repository, id, 0));
  }

  /** One upload: GET its state, PATCH a chunk, PUT the end, DELETE. */
  async upload(exchange: Exchange, repository: string, id: string): Promise<void> {
    exchange.require(repository, ['pull', 'push']);
    const { rules, uploads } = this.#options;
    switch (exchange.method) {
      case 'GET':
      case 'HEAD':
        return exchange.send(204, progress(repository, id, await uploads.status(repository, id)));
      case 'PATCH': {
        rules.requireWritable(repository);
        const size = await uploads.append(repository, id, await this.#chunk(exchange, repository));
        return exchange.send(202, progress(repository, id, size));
      }
      case 'PUT': {
        rules.requireWritable(repository);
        const digest = parseBlobDigest(exchange.query.get('digest') ?? '');
        const terms = this.#pushed(exchange, repository, digest);
        const chunk = await this.#chunk(exchange, repository);
        return created(exchange, repository, await uploads.finish(repository, id, { chunk, digest, terms }));
      }
      case 'DELETE':
        await uploads.cancel(repository, id);
        return exchange.send(204, {});
      default:
        throw wrongMethod(exchange.method);
    }
  }

  async #stored(repository: string, digest: Digest): Promise<BlobSource> {
    const { blobs } = this.#options;
    return blobs.source(await blobs.stat(repository, digest));
  }

  async #send(exchange: Exchange, digest: Digest, source: BlobSource): Promise<void> {
    const { response } = exchange;
    const { size } = source;
    const headers = {
      'Docker-Content-Digest': digest,
      ETag: `"${digest}"`,
      'Cache-Control': 'max-age=31536000, immutable',
      'Accept-Ranges': 'bytes',
    };
    if (exchange.header('if-none-match')?.includes(digest)) return exchange.send(304, headers);
    const range = parseRange(exchange.header('range'), size);
    if (range === 'unsatisfiable') {
      return exchange.send(416, { 'Content-Range': `bytes */${size}`, 'Accept-Ranges': 'bytes' });
    }
    const part = range === undefined ? {} : { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` };
    const length = range === undefined ? size : range.end - range.start + 1;
    const all = { ...headers, ...part, 'Content-Type': blobType, 'Content-Length': length };
    const status = range === undefined ? 200 : 206;
    if (exchange.method === 'HEAD') return exchange.send(status, all);
    if (length === 0) return exchange.send(status, all);
    if (source.path !== undefined) {
      await this.#files.send(source.path, response, {
        ...(range ?? { start: 0, end: size - 1 }),
        status,
        headers: all,
      });
      return;
    }
    const stream = await source.open(range);
    response.writeHead(status, all);
    await pipeline(stream, response);
  }

  async #remove(exchange: Exchange, repository: string, item: string): Promise<void> {
    exchange.require(repository, ['delete']);
    this.#options.rules.requireDeletable(repository);
    const digest = parseBlobDigest(item);
    await this.#options.blobs.remove(repository, digest, exchange.event('delete', { repository, digest }));
    exchange.send(202, {});
  }

  /** True when the blob was mounted and the answer sent; else an ordinary upload begins. */
  async #mount(exchange: Exchange, repository: string, digest: Digest): Promise<boolean> {
    const text = exchange.query.get('from');
    if (text === null) return false;
    const from = parseRepositoryName(text);
    if (!exchange.identity.may({ type: 'repository', name: from, actions: ['pull'] })) return false;
    const event = exchange.event('mount', { repository, digest, fromRepository: from });
    const terms = { quotas: this.#options.rules.quotasOf(repository), event };
    const link = await this.#options.blobs.mount(from, repository, { digest, terms });
    if (link === undefined) return false;
    created(exchange, repository, link);
    return true;
  }

  #pushed(exchange: Exchange, repository: string, digest: Digest): WriteTerms {
    return {
      quotas: this.#options.rules.quotasOf(repository),
      event: exchange.event('push', { repository, digest, mediaType: blobType }),
    };
  }

  async #chunk(exchange: Exchange, repository: string) {
    const header = exchange.header('content-range');
    const range = header === undefined ? undefined : parseContentRange(header);
    if (header !== undefined && range === undefined) {
      throw fault('BLOB_UPLOAD_INVALID', `malformed Content-Range "${header.slice(0, 100)}": want START-END`);
    }
    const length = exchange.header('content-length');
    if (range !== undefined && length !== undefined && Number(length) !== range.end - range.start + 1) {
      throw fault('SIZE_INVALID', `Content-Length ${length} and Content-Range ${header} do not agree`);
    }
    return { body: exchange.request, range, room: await this.#options.rules.room(repository) };
  }
}

function progress(repository: string, id: string, size: number) {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: uploadRange(size),
    'Docker-Upload-UUID': id,
  };
}

function created(exchange: Exchange, repository: string, link: BlobLink): void {
  const { digest } = link;
  exchange.send(201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}
