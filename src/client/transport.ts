import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { apiVersion, streamTypes } from '#api-types';
import { canceled, errnoOf } from '#base';
import { ApiError, ConnectError } from './api-error.ts';
import type { Endpoint } from './endpoint.ts';

/** Values of a query; those undefined are left out, lists repeat the key. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** One call of the API. */
export interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version, with a leading slash. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`; read only as fast as the daemon takes it. */
  readonly upload?: Readable;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly signal?: AbortSignal;
}

/** A connection taken over from HTTP: it carries a container's streams, or another protocol, in both directions. */
export interface Hijacked {
  /** Of a container: reads what it writes; ending it ends the container's input. */
  readonly stream: Duplex;
  /** True: output comes in frames that say which stream they are of. */
  readonly multiplexed: boolean;
}

function queryText(query: Query | undefined): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      const text = one === true ? '1' : one === false ? '0' : String(one);
      parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(text)}`);
    }
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** The body of an answer as text. */
async function readText(response: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Speaks HTTP with one daemon. Connections are kept and used again; {@link Transport.close} ends them. */
export class Transport {
  readonly endpoint: Endpoint;
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;
  /** Version in the path; lowered once when the daemon is older. */
  #version = apiVersion;

  constructor(endpoint: Endpoint, headers: Readonly<Record<string, string>> = {}) {
    this.endpoint = endpoint;
    this.#agent = new Agent({ keepAlive: true });
    this.#headers = headers;
  }

  /** The API version in use. */
  get version(): string {
    return this.#version;
  }

  /** Ends idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Calls and returns the parsed JSON answer, undefined when there is none. Throws `ApiError`, `ConnectError`. */
  async json<T>(call: Call): Promise<T> {
    const text = await this.text(call);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Calls and returns the answer as text. */
  async text(call: Call): Promise<string> {
    return readText(await this.stream(call));
  }

  /** Calls and returns the answer to be read; its head has arrived and is a success. */
  async stream(call: Call): Promise<IncomingMessage> {
    const response = await this.#send(call);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    const error = await this.#failure(call, response);
    if (this.#lowerVersion(error) && call.upload === undefined) return this.stream(call);
    throw error;
  }

  /** Calls and takes the connection over; `protocol` is what is spoken on it from then on. */
  async hijack(call: Call, protocol: 'tcp' | 'h2c' = 'tcp'): Promise<Hijacked> {
    const request = await this.#request(
      { ...call, headers: { ...call.headers, connection: 'Upgrade', upgrade: protocol } },
      false,
    );
    return new Promise((resolve, reject) => {
      request.on('upgrade', (response, stream, head) => {
        if (head.length > 0) stream.unshift(head);
        resolve({ stream, multiplexed: response.headers['content-type'] !== streamTypes.raw });
      });
      request.on('response', (response) => {
        void this.#failure(call, response).then((error) => {
          if (this.#lowerVersion(error)) this.hijack(call, protocol).then(resolve, reject);
          else reject(error);
        }, reject);
      });
      request.on('error', (error) => reject(this.#connectError(error, call.signal)));
      this.#sendBody(request, call);
    });
  }

  async #send(call: Call): Promise<IncomingMessage> {
    if (call.upload !== undefined) await this.#settleVersion();
    const request = await this.#request(call, true);
    return new Promise((resolve, reject) => {
      request.on('response', resolve);
      request.on('error', (error) => reject(this.#connectError(error, call.signal)));
      this.#sendBody(request, call);
    });
  }

  /** A body that is a stream cannot be sent twice, so the version must be right at the first try. */
  #settled = false;
  async #settleVersion(): Promise<void> {
    if (this.#settled) return;
    const response = await this.#send({ method: 'GET', path: '/_ping' });
    response.resume();
    const server = String(response.headers['api-version'] ?? this.#version);
    if (Number(server.split('.')[1]) < Number(this.#version.split('.')[1])) this.#version = server;
    this.#settled = true;
  }

  async #request(call: Call, pooled: boolean): Promise<ClientRequest> {
    const { endpoint } = this;
    const prefix = call.path === '/_ping' ? '' : `/v${this.#version}`;
    const headers: Record<string, string | string[]> = {
      host: 'berth',
      'user-agent': 'berth-client',
      ...this.#headers,
      ...call.headers,
    };
    if (call.body !== undefined) headers['content-type'] ??= 'application/json';
    if (call.upload !== undefined) headers['content-type'] ??= 'application/x-tar';
    const options: RequestOptions = {
      method: call.method,
      path: `${prefix}${call.path}${queryText(call.query)}`,
      headers,
      ...(pooled ? { agent: this.#agent } : { agent: false }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    if (endpoint.kind === 'unix') return requestHttp({ ...options, socketPath: endpoint.path });
    headers.host = `${endpoint.host}:${endpoint.port}`;
    const address = { host: endpoint.host, port: endpoint.port };
    if (endpoint.tls === undefined) return requestHttp({ ...options, ...address });
    const { request: requestHttps } = await import('node:https');
    const { verify, ...files } = endpoint.tls;
    return requestHttps({ ...options, ...address, ...files, agent: false, rejectUnauthorized: verify });
  }

  #sendBody(request: ClientRequest, call: Call): void {
    if (call.upload !== undefined) {
      const source = call.upload;
      pipeline(source, request, (error) => {
        if (error && !request.destroyed) request.destroy(error);
      });
      return;
    }
    if (call.body === undefined) request.end();
    else {
      const body = Buffer.from(JSON.stringify(call.body));
      request.setHeader('content-length', body.length);
      request.end(body);
    }
  }

  #connectError(error: Error, signal: AbortSignal | undefined): Error {
    if (signal?.aborted) return canceled('context canceled', { cause: error });
    const code = errnoOf(error) ?? '';
    return new ConnectError(this.endpoint.address, code, error);
  }

  async #failure(call: Call, response: IncomingMessage): Promise<ApiError> {
    const status = response.statusCode ?? 0;
    const text = call.method === 'HEAD' ? '' : await readText(response);
    let message = text.trim();
    try {
      const body: unknown = JSON.parse(text);
      if (typeof body === 'object' && body !== null && 'message' in body) message = String(body.message);
    } catch {
      // Some answers (a failed attach) are plain text already.
    }
    return new ApiError(status, message || `request returned ${status} for API route and version ${call.path}`);
  }

  #lowerVersion(error: ApiError): boolean {
    const match = /client version \S+ is too new\. Maximum supported API version is (\d+\.\d+)/.exec(error.message);
    if (error.status !== 400 || match?.[1] === undefined || match[1] === this.#version) return false;
    this.#version = match[1];
    return true;
  }
}
