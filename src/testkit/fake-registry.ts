import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { digestOf } from '#base';

/** What a test does with a request before the registry answers; true when it has answered itself. */
export type Intercept = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean | Promise<boolean>;

/** A registry in memory that speaks enough of the distribution-spec over real HTTP. */
export class FakeRegistry implements AsyncDisposable {
  /** `REPOSITORY@DIGEST` to bytes. */
  readonly blobs = new Map<string, Buffer>();
  /** `REPOSITORY@TAG-OR-DIGEST` to type and bytes. */
  readonly manifests = new Map<string, { type: string; bytes: Buffer }>();
  /** `METHOD PATH` of all requests, and their Authorization headers. */
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  intercept: Intercept = () => false;
  readonly #server;

  constructor(tls?: ServerOptions) {
    const listener: RequestListener = (request, response) => {
      this.#handle(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      );
    };
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  }

  /** Listens on a free port of 127.0.0.1. */
  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Puts a blob and returns its descriptor. */
  addBlob(repository: string, bytes: Buffer) {
    const digest = digestOf(bytes);
    this.blobs.set(`${repository}@${digest}`, bytes);
    return { mediaType: 'application/octet-stream', digest, size: bytes.length };
  }

  /** Puts a manifest under a tag and its digest, which it returns. */
  addManifest(repository: string, tag: string, text: string, type = 'application/vnd.oci.image.manifest.v1+json') {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    for (const name of [tag, digest]) this.manifests.set(`${repository}@${name}`, { type, bytes });
    return digest;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    this.requests.push(`${request.method} ${url.pathname}`);
    this.authorizations.push(request.headers.authorization);
    if (await this.intercept(request, response, url)) return;
    if (url.pathname === '/v2/') {
      response.end('{}');
      return;
    }
    const match = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.+)$/.exec(url.pathname);
    const [, repository = '', kind = '', name = ''] = match ?? [];
    if (kind === 'manifests') await this.#manifest(request, response, { repository, name });
    else if (kind === 'blobs' && name.startsWith('uploads/'))
      await this.#upload(request, response, { repository, url });
    else if (kind === 'blobs') this.#blob(request, response, this.blobs.get(`${repository}@${name}`));
    else if (kind === 'tags' && name === 'list')
      response.end(JSON.stringify({ name: repository, tags: this.#tags(repository) }));
    else failRequest(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
  }

  #tags(repository: string): string[] {
    const names = [...this.manifests.keys()].filter((name) => name.startsWith(`${repository}@`));
    return names.map((name) => name.slice(repository.length + 1)).filter((name) => !name.startsWith('sha256:'));
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    { repository, name }: { repository: string; name: string },
  ): Promise<void> {
    if (request.method === 'PUT') {
      this.addManifest(repository, name, (await buffer(request)).toString(), request.headers['content-type']);
      response.writeHead(201).end();
      return;
    }
    const found = this.manifests.get(`${repository}@${name}`);
    if (found === undefined) return failRequest(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    response.setHeader('content-type', found.type);
    response.setHeader('content-length', found.bytes.length);
    response.setHeader('docker-content-digest', digestOf(found.bytes));
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  #blob(request: IncomingMessage, response: ServerResponse, bytes: Buffer | undefined): void {
    if (bytes === undefined) {
      failRequest(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
      return;
    }
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from });
    response.end(request.method === 'HEAD' ? undefined : bytes.subarray(from));
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    { repository, url }: { repository: string; url: URL },
  ): Promise<void> {
    const mounted = this.blobs.get(`${url.searchParams.get('from')}@${url.searchParams.get('mount')}`);
    if (request.method === 'POST' && mounted !== undefined) {
      this.addBlob(repository, mounted);
      response.writeHead(201).end();
    } else if (request.method === 'POST') {
      response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/one?state=x` }).end();
    } else if (request.method === 'PATCH') {
      this.blobs.set('partial', await buffer(request));
      response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/two` }).end();
    } else {
      const bytes = url.pathname.endsWith('two')
        ? (this.blobs.get('partial') ?? Buffer.alloc(0))
        : await buffer(request);
      if (digestOf(bytes) !== url.searchParams.get('digest'))
        return failRequest(response, 400, 'DIGEST_INVALID', 'digest invalid');
      this.addBlob(repository, bytes);
      response.writeHead(201).end();
    }
  }
}

/** Answers with an error in the spec's form. */
export function failRequest(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ errors: [{ code, message }] }));
}
