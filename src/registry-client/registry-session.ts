import type { Readable } from 'node:stream';
import { BerthError, invalid, isBerthError, messageOf, unauthorized } from '#base';
import { Authorizer } from './authorizer.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointBase, KnownEndpoints } from './known-endpoints.ts';
import type { Cancelable, RegistryLogin } from './registry.ts';
import { plainError, readFault } from './registry-errors.ts';
import { isPassing, mayPass, pauseBefore, type RetryPolicy, retryAfter } from './retry.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';

/** A request to an endpoint. */
export interface SessionRequest extends Cancelable {
  readonly method: HttpRequest['method'];
  /** Path from `/v2/` on with its query, or a URL that the registry gave. */
  readonly target: string | URL;
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for each attempt, since a stream can be sent once only. */
  readonly body?: () => Promise<Uint8Array | Readable>;
  /** Attempts; default what the session has. */
  readonly attempts?: number;
}

const maxRedirects = 10;

/** What a {@link RegistrySession} is made with. */
export interface SessionOptions {
  readonly login: RegistryLogin;
  readonly retry: RetryPolicy;
  /** Shared by all sessions of a client. */
  readonly known: KnownEndpoints;
}

/** Talks to one registry in the name of one login: finds out how it wants to be spoken to, authorizes, repeats. */
export class RegistrySession {
  readonly #transport: Transport;
  readonly #endpoint: Endpoint;
  readonly #authorizer: Authorizer;
  readonly #retry: RetryPolicy;
  readonly #known: KnownEndpoints;
  #base: Promise<EndpointBase> | undefined;
  /** What was remembered of the endpoint is used, and nothing has shown yet that it still holds. */
  #isGuess = false;

  constructor(transport: Transport, endpoint: Endpoint, options: SessionOptions) {
    this.#transport = transport;
    this.#endpoint = endpoint;
    this.#authorizer = new Authorizer(transport, options.login, endpoint);
    this.#retry = options.retry;
    this.#known = options.known;
  }

  /** Name of the registry, for messages. */
  get host(): string {
    return this.#endpoint.host;
  }

  /**
   * Sends a request, with authorization; repeats it after faults that may pass. Answers of any other status are the
   * caller's to judge. Throws `unavailable`, `timeout`, `unauthorized`, `canceled`.
   */
  async send(request: SessionRequest): Promise<HttpResponse> {
    const attempts = request.attempts ?? this.#retry.attempts;
    for (let attempt = 1; ; attempt += 1) {
      let wish: number | undefined;
      try {
        const response = await this.#guessing(request);
        if (!isPassing(response.status) || attempt >= attempts) return response;
        wish = retryAfter(response.headers['retry-after']);
        response.body.destroy();
      } catch (error) {
        if (attempt >= attempts || !mayPass(error) || this.#base === undefined) throw error;
      }
      await pauseBefore(attempt, this.#retry, { retryAfter: wish, signal: request.signal });
    }
  }

  /** Checks the login as `docker login` does; returns a refresh token where the registry gives one. */
  async login(options: Cancelable): Promise<string | undefined> {
    this.#known.forget(this.#endpoint);
    const base = await this.#reach(options);
    const token =
      base.challenge.scheme === 'bearer' ? await this.#authorizer.refreshToken(base.challenge, options) : undefined;
    const response = await this.send({ method: 'GET', target: '/v2/', scopes: [], ...options });
    response.body.resume();
    if (response.status === 200) return token;
    const status = `${response.status} ${response.body.statusMessage ?? ''}`.trim();
    throw unauthorized(`login attempt to ${base.origin}/v2/ failed with status: ${status}`);
  }

  /** Where the registry is; asked once. Throws as the connection does, `unavailable` for what is no registry. */
  #reach(options: Cancelable): Promise<EndpointBase> {
    if (this.#base !== undefined) return this.#base;
    const known = this.#known.get(this.#endpoint);
    this.#isGuess = known !== undefined;
    const asked = known === undefined ? this.#ask(options) : Promise.resolve(known);
    this.#base = asked;
    asked.catch(() => {
      if (this.#base === asked) this.#base = undefined;
    });
    return asked;
  }

  async #ask(options: Cancelable): Promise<EndpointBase> {
    const base = await this.#ping(options);
    this.#known.set(this.#endpoint, base);
    return base;
  }

  /** Sends by what is remembered of the endpoint; where that leads nowhere, asks the endpoint anew and sends again. */
  async #guessing(request: SessionRequest): Promise<HttpResponse> {
    try {
      const response = await this.#authorized(request);
      // A plain request to a TLS port is answered with 400 by most servers.
      if (!this.#isGuess || response.status !== 400) {
        this.#isGuess = false;
        return response;
      }
      response.body.destroy();
    } catch (error) {
      if (!this.#isGuess || request.signal?.aborted) throw error;
    }
    this.#isGuess = false;
    this.#base = undefined;
    this.#known.forget(this.#endpoint);
    return this.#authorized(request);
  }

  async #ping({ signal }: Cancelable): Promise<EndpointBase> {
    const { schemes, host, prefix } = this.#endpoint;
    for (const [index, scheme] of schemes.entries()) {
      const origin = `${scheme}://${host}${prefix}`;
      try {
        const request = { method: 'GET', url: new URL(`${origin}/v2/`), headers: {}, signal } as const;
        const response = await this.#transport.send(request, this.#endpoint);
        if (response.status === 401) {
          response.body.resume();
          return { origin, challenge: parseChallenge(authenticateHeaders(response)) };
        }
        if (response.status >= 500 || response.status === 429) throw plainError(await readFault(response));
        response.body.resume();
        return { origin, challenge: { scheme: 'none' } };
      } catch (error) {
        if (index === schemes.length - 1 || isBerthError(error, 'canceled')) throw error;
      }
    }
    throw invalid(`registry ${host} has no way to be reached`);
  }

  async #authorized(request: SessionRequest): Promise<HttpResponse> {
    const base = await this.#reach(request);
    const url = request.target instanceof URL ? request.target : new URL(`${base.origin}${request.target}`);
    const response = await this.#once(request, url, base.challenge);
    if (response.status !== 401 || !isSameHost(url, base.origin)) return response;
    // A token may have been taken back, or the registry asks for a login on some paths only.
    const asked = parseChallenge(authenticateHeaders(response));
    if (asked.scheme === 'none' || (asked.scheme === 'basic' && base.challenge.scheme === 'basic')) return response;
    response.body.destroy();
    this.#authorizer.forget();
    return this.#once(request, url, asked);
  }

  async #once(request: SessionRequest, url: URL, challenge: Challenge): Promise<HttpResponse> {
    const base = await this.#reach(request);
    const headers: Record<string, string> = { 'accept-encoding': 'identity', ...request.headers };
    const body = await request.body?.();
    let at = url;
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const sent = { ...headers };
      if (isSameHost(at, base.origin)) {
        const authorization = await this.#header(request, at, challenge);
        if (authorization !== undefined) sent.authorization = authorization;
      }
      const message = { method: request.method, url: at, headers: sent, signal: request.signal };
      const response = await this.#transport.send(
        body === undefined ? message : { ...message, body },
        isSameHost(at, base.origin) ? this.#endpoint : { insecure: false },
      );
      const next = redirectOf(response, request.method);
      if (next === undefined) return response;
      response.body.destroy();
      if (at.protocol === 'https:' && next.protocol !== 'https:' && !this.#endpoint.insecure) {
        throw invalid(`registry ${at.host} redirects to ${next.host} without TLS`);
      }
      at = next;
    }
    throw invalid(`registry ${url.host} redirects too often`);
  }

  async #header(request: SessionRequest, url: URL, challenge: Challenge): Promise<string | undefined> {
    try {
      return await this.#authorizer.header(challenge, request.scopes, request);
    } catch (error) {
      if (!isBerthError(error, 'unauthorized') || error.details.status !== undefined) throw error;
      const verb = request.method.charAt(0) + request.method.slice(1).toLowerCase();
      const message = `${verb} "${url.origin}${url.pathname}": ${messageOf(error)}`;
      throw new BerthError('unauthorized', message, { cause: error, details: { ...error.details } });
    }
  }
}

function authenticateHeaders(response: HttpResponse): string[] {
  const values: string[] = [];
  const raw = response.body.rawHeaders;
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === 'www-authenticate') values.push(raw[at + 1] ?? '');
  }
  return values;
}

function isSameHost(url: URL, origin: string): boolean {
  return new URL(origin).origin === url.origin;
}

/** Where a read is sent on to; writes are not followed, since their bodies may be streams. */
function redirectOf(response: HttpResponse, method: string): URL | undefined {
  const location = response.headers.location;
  const isRead = method === 'GET' || method === 'HEAD';
  if (!isRead || location === undefined || ![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const next = URL.canParse(location, response.url.href) ? new URL(location, response.url) : undefined;
  if (next === undefined || !/^https?:$/.test(next.protocol)) {
    throw invalid(`registry ${response.url.host} redirects to "${location}", which is no web address`);
  }
  return next;
}
