import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity, Scope } from '../auth/access.ts';
import { fault } from '../faults.ts';
import type { RegistryEvent } from '../records/records.ts';

/** Type of blobs, whatever they hold. */
export const blobType = 'application/octet-stream';

/** A request with who sent it, and its response. Handlers of all routes get one. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly identity: Identity;
  readonly query: URLSearchParams;
  readonly method: string;

  readonly #told: ReadonlySet<string>;
  readonly #origin: string;

  /** `told` are the actions that become events; `origin` is the scheme and host that the client reached us by. */
  constructor(parts: {
    request: IncomingMessage;
    response: ServerResponse;
    identity: Identity;
    query: URLSearchParams;
    told: ReadonlySet<string>;
    origin: string;
  }) {
    this.#told = parts.told;
    this.#origin = parts.origin;
    this.request = parts.request;
    this.response = parts.response;
    this.identity = parts.identity;
    this.query = parts.query;
    this.method = parts.request.method ?? 'GET';
  }

  /** Throws {@link AccessRefused} when the sender may not do that. */
  require(repository: string, actions: readonly string[]): void {
    this.requireScope({ type: 'repository', name: repository, actions });
  }

  /** As {@link Exchange.require}, for any scope. */
  requireScope(scope: Scope): void {
    if (!this.identity.may(scope)) throw new AccessRefused(scope, this.identity);
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** Sends an answer with a small body or none; HEAD gets the headers only. */
  send(status: number, headers: Readonly<Record<string, string | number>>, body: Buffer | string = ''): void {
    const length = Buffer.byteLength(body);
    // 204 and 304 have no length (RFC 9110, "Content-Length").
    const sized = status === 204 || status === 304 ? headers : { 'Content-Length': length, ...headers };
    this.response.writeHead(status, sized);
    this.response.end(this.method === 'HEAD' ? undefined : body);
  }

  /** Sends a JSON document. */
  json(status: number, value: unknown, headers: Readonly<Record<string, string | number>> = {}): void {
    this.send(status, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(value));
  }

  /** The event that this request makes, for notifications; undefined where nobody wants to hear of it. */
  event(action: RegistryEvent['action'], facts: Omit<RegistryEvent, 'action' | 'at'>): RegistryEvent | undefined {
    if (!this.#told.has(action)) return undefined;
    const agent = this.header('user-agent')?.slice(0, 200);
    const address = this.request.socket.remoteAddress;
    const { user } = this.identity;
    const { repository, digest, mediaType } = facts;
    const kind = mediaType === undefined || mediaType === blobType ? 'blobs' : 'manifests';
    const url = `${this.#origin}/v2/${repository}/${kind}/${digest}`;
    return {
      action,
      ...facts,
      method: this.method,
      host: this.#origin.slice(this.#origin.indexOf('://') + 3),
      at: Date.now(),
      ...(action === 'delete' ? {} : { url }),
      ...(user === undefined ? {} : { user }),
      ...(address === undefined ? {} : { address }),
      ...(agent === undefined ? {} : { agent }),
    };
  }
}

/** A request refused for who sent it; answered with a challenge where better credentials could help. */
export class AccessRefused extends Error {
  readonly scope: Scope | undefined;
  readonly identity: Identity;

  constructor(scope: Scope | undefined, identity: Identity) {
    super('requested access to the resource is denied');
    this.scope = scope;
    this.identity = identity;
  }
}

/** Reads a request's body into memory. Throws `tooLarge` above `limit` bytes, before the rest is read. */
export async function readBody(request: IncomingMessage, limit: number, tooLarge: Error): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop early must not destroy the connection: the refusal goes over it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The refusal of a method that a URL does not take. */
export function wrongMethod(method: string) {
  return fault('UNSUPPORTED', `method ${method} is not supported here`);
}
