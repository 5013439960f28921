import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Digest, digestOf, invalid, isBerthError, isDigest } from '#base';
import { type Descriptor, familiarName, mediaTypes } from '#oci';
import { blobUnknown, downloadBlob } from './blob-download.ts';
import { uploadBlob, uploadStream } from './blob-upload.ts';
import { isDescriptor } from './descriptor.ts';
import { namesOf, pagesOf } from './pages.ts';
import type { BlobSource, Cancelable, FetchedManifest, PushOutcome, Repository } from './registry.ts';
import { fieldOf, plainError, type ReadSubject, readBody, readError, readFault } from './registry-errors.ts';
import type { RegistrySession } from './registry-session.ts';
import type { RetryPolicy } from './retry.ts';
import type { HttpResponse, Transport } from './transport.ts';

/** Bytes of a manifest at most (distribution-spec, "Pushing manifests"). */
const manifestLimit = 4 * 1024 * 1024;

const manifestTypes = [
  mediaTypes.ociIndex,
  mediaTypes.dockerIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
].join(', ');

/** What {@link RemoteRepository} is made of. */
export interface RepositoryParts {
  readonly name: { readonly domain: string; readonly path: string };
  /** Mirrors in order, then the registry itself; writes go to the last. */
  readonly sessions: readonly RegistrySession[];
  readonly transport: Transport;
  readonly retry: RetryPolicy;
}

/** One repository over HTTP (OCI distribution-spec 1.1). */
export class RemoteRepository implements Repository {
  readonly #parts: RepositoryParts;
  /** Mirrors that failed otherwise than by not having something: not asked again. */
  readonly #failed = new Set<RegistrySession>();

  constructor(parts: RepositoryParts) {
    this.#parts = parts;
  }

  async resolve(target: string, options: Cancelable = {}): Promise<Descriptor> {
    return this.#read(async (session) => {
      const response = await session.send(this.#manifestRequest('HEAD', target, options));
      response.body.resume();
      const { headers, status } = response;
      const digest = headers['docker-content-digest'] ?? (isDigest(target) ? target : undefined);
      const size = Number(headers['content-length'] ?? Number.NaN);
      const mediaType = mediaTypeOf(response);
      const isComplete =
        status === 200 && typeof digest === 'string' && isDigest(digest) && size > 0 && mediaType !== '';
      if (!isComplete || (isDigest(target) && digest !== target)) {
        return (await this.#manifestFrom(session, target, options)).descriptor;
      }
      return { mediaType, digest, size };
    });
  }

  async manifest(target: string, options: Cancelable = {}): Promise<FetchedManifest> {
    return this.#read((session) => this.#manifestFrom(session, target, options));
  }

  async blobSize(digest: Digest, options: Cancelable = {}): Promise<number | undefined> {
    return this.#read((session) => this.#blobSizeIn(session, digest, { ...options, scope: this.#pull }));
  }

  async openBlob(descriptor: Descriptor, options: Cancelable & { offset?: number } = {}): Promise<Readable> {
    const { signal, offset = 0 } = options;
    const common = { descriptor, offset, signal, retry: this.#parts.retry };
    try {
      return await this.#read((session) =>
        downloadBlob({
          ...common,
          request: (from) =>
            session.send({
              method: 'GET',
              target: `/v2/${this.#path}/blobs/${descriptor.digest}`,
              scopes: [this.#pull],
              headers: rangeFrom(from),
              signal,
            }),
          refuse: async (response) => {
            const fault = await readFault(response);
            return fault.status === 404 ? blobUnknown(descriptor) : readError(fault, this.#subject(descriptor.digest));
          },
        }),
      );
    } catch (error) {
      if (!isBerthError(error, 'not-found')) throw error;
      for (const text of descriptor.urls ?? []) {
        if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) continue;
        const request = (from: number): Promise<HttpResponse> =>
          this.#parts.transport.send(
            { method: 'GET', url: new URL(text), headers: rangeFrom(from), signal },
            { insecure: false },
          );
        return await downloadBlob({
          ...common,
          request,
          refuse: async (answer) => plainError(await readFault(answer)),
        });
      }
      throw error;
    }
  }

  async *tags(options: Cancelable = {}): AsyncGenerator<string> {
    const session = this.#origin;
    const request = { target: `/v2/${this.#path}/tags/list`, scopes: [this.#pull], field: 'tags', ...options };
    yield* namesOf(session, request, (fault) => readError(fault, this.#subject('')));
  }

  async *referrers(subject: Digest, options: Cancelable = {}): AsyncGenerator<Descriptor> {
    const target = `/v2/${this.#path}/referrers/${subject}`;
    const request = { target, scopes: [this.#pull], field: 'manifests', ...options };
    try {
      const pages = pagesOf(this.#origin, request, (fault) => readError(fault, this.#subject(subject)));
      for await (const entry of pages) if (isDescriptor(entry)) yield entry;
    } catch (error) {
      if (!isBerthError(error) || error.details.status !== 404) throw error;
      yield* await this.#taggedReferrers(subject, options);
    }
  }

  async pushBlob(
    descriptor: Descriptor,
    source: BlobSource,
    options: Cancelable & { mountFrom?: readonly string[]; onProgress?: (sent: number) => void } = {},
  ): Promise<PushOutcome> {
    const { signal, mountFrom = [], onProgress } = options;
    const scope = this.#push;
    if ((await this.#blobSizeIn(this.#origin, descriptor.digest, { signal, scope })) !== undefined) {
      return { kind: 'exists' };
    }
    return uploadBlob(this.#origin, {
      path: this.#path,
      descriptor,
      source,
      mountFrom: mountFrom.filter((from) => from !== this.#path),
      onProgress,
      signal,
      retry: this.#parts.retry,
    });
  }

  async pushStream(stream: Readable, digest: () => Promise<Digest>, options: Cancelable = {}): Promise<void> {
    try {
      await uploadStream(this.#origin, { path: this.#path, stream, digest, signal: options.signal });
    } finally {
      stream.destroy();
    }
  }

  async pushManifest(target: string, mediaType: string, bytes: Uint8Array, options: Cancelable = {}): Promise<Digest> {
    const digest = digestOf(bytes);
    if (isDigest(target) && target !== digest) throw invalid(`manifest has the digest ${digest}, not ${target}`);
    const response = await this.#origin.send({
      method: 'PUT',
      target: `/v2/${this.#path}/manifests/${target}`,
      scopes: [this.#push],
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: async () => bytes,
      signal: options.signal,
    });
    if (response.status !== 201 && response.status !== 200 && response.status !== 202) {
      throw plainError(await readFault(response));
    }
    response.body.resume();
    return digest;
  }

  /** Where clients of a registry without the referrers API keep the list (distribution-spec, "Referrers Tag Schema"). */
  async #taggedReferrers(subject: Digest, options: Cancelable): Promise<Descriptor[]> {
    try {
      const { bytes } = await this.#manifestFrom(this.#origin, subject.replace(':', '-'), options);
      const entries = fieldOf(JSON.parse(bytes.toString('utf8')), 'manifests');
      return Array.isArray(entries) ? entries.filter(isDescriptor) : [];
    } catch (error) {
      if (isBerthError(error, 'not-found') || error instanceof SyntaxError) return [];
      throw error;
    }
  }

  get #path(): string {
    return this.#parts.name.path;
  }

  get #pull(): string {
    return `repository:${this.#path}:pull`;
  }

  get #push(): string {
    return `repository:${this.#path}:pull,push`;
  }

  get #origin(): RegistrySession {
    const origin = this.#parts.sessions.at(-1);
    if (origin === undefined) throw invalid(`no registry for ${this.#path}`);
    return origin;
  }

  /** Runs a read at each mirror in turn, and at last at the registry, whose error counts. */
  async #read<T>(body: (session: RegistrySession) => Promise<T>): Promise<T> {
    for (const session of this.#parts.sessions.slice(0, -1)) {
      if (this.#failed.has(session)) continue;
      try {
        const result = await body(session);
        if (result !== undefined) return result;
      } catch (error) {
        if (isBerthError(error, 'canceled')) throw error;
        if (!isBerthError(error, 'not-found')) this.#failed.add(session);
      }
    }
    return body(this.#origin);
  }

  async #blobSizeIn(
    session: RegistrySession,
    digest: Digest,
    options: Cancelable & { scope: string },
  ): Promise<number | undefined> {
    const response = await session.send({
      method: 'HEAD',
      target: `/v2/${this.#path}/blobs/${digest}`,
      scopes: [options.scope],
      signal: options.signal,
    });
    response.body.resume();
    if (response.status === 200) return Number(response.headers['content-length'] ?? 0);
    if (response.status === 404) return undefined;
    throw plainError({ status: response.status, code: '', message: '' });
  }

  #manifestRequest(method: 'GET' | 'HEAD', target: string, { signal }: Cancelable) {
    const path = `/v2/${this.#path}/manifests/${encodeURIComponent(target).replaceAll('%3A', ':')}`;
    return { method, target: path, scopes: [this.#pull], headers: { accept: manifestTypes }, signal } as const;
  }

  async #manifestFrom(session: RegistrySession, target: string, options: Cancelable): Promise<FetchedManifest> {
    const response = await session.send(this.#manifestRequest('GET', target, options));
    if (response.status !== 200) throw readError(await readFault(response), this.#subject(target));
    const bytes = await readBody(response, manifestLimit, 'manifest');
    const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (isDigest(target) && digest !== target) {
      throw invalid(`manifest verification failed for digest ${target}: the registry sent ${digest}`);
    }
    const mediaType = mediaTypeOf(response) || ownMediaType(bytes);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  #subject(target: string): ReadSubject {
    const name = familiarName(this.#parts.name);
    return { name, target: `${name}${isDigest(target) ? '@' : ':'}${target}` };
  }
}

function rangeFrom(from: number): Record<string, string> {
  return from === 0 ? {} : { range: `bytes=${from}-` };
}

/** Content-Type without parameters; empty where it says nothing about manifests. */
function mediaTypeOf(response: HttpResponse): string {
  const type = (response.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  return type === 'application/json' || type.startsWith('text/') || type === 'application/octet-stream' ? '' : type;
}

function ownMediaType(bytes: Buffer): string {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    const own = fieldOf(document, 'mediaType');
    if (typeof own === 'string') return own;
    return fieldOf(document, 'manifests') === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
  } catch {
    throw invalid('the registry sent a manifest that is no JSON');
  }
}
