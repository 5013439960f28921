import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { canceled, errnoOf, messageOf, timedOut, unavailable } from '#base';
import type { CertificateStore, TlsMaterial } from './certificates.ts';
import type { ProxyRules } from './proxy-rules.ts';

/** One HTTP request. Bodies that are streams cannot be sent twice. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose body has not been read. Read it, or destroy it, or the connection stays taken. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
  /** Where the answer came from. */
  readonly url: URL;
}

/** What {@link Transport} needs to know. */
export interface TransportOptions {
  readonly userAgent: string;
  /** Milliseconds without a byte in either direction. */
  readonly stallTimeout: number;
  readonly proxies: ProxyRules;
  readonly certificates: CertificateStore;
}

/** Sends HTTP requests over connections that are kept, with the TLS material and proxy that a host needs. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: 8 });
  readonly #https = new Map<string, { readonly agent: HttpsAgent; readonly material: TlsMaterial }>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * Sends one request; resolves with the head of the answer, whatever its status. Throws `unavailable` when there is no
   * connection (in the words of Docker's daemon), `timeout` when nothing moves, `canceled`.
   */
  async send(request: HttpRequest, trust: { insecure: boolean }): Promise<HttpResponse> {
    const { url, signal } = request;
    if (signal?.aborted) throw canceled(`request to ${url.host} was canceled`);
    const proxy = this.#options.proxies.proxyFor(url);
    try {
      const tunnel = proxy !== undefined && url.protocol === 'https:' ? await this.#tunnel(proxy, url) : undefined;
      return await this.#exchange(request, trust, { proxy, tunnel });
    } catch (error) {
      if (signal?.aborted) throw canceled(`request to ${url.host} was canceled`, { cause: error });
      throw connectionError(request, error);
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#http.destroy();
    for (const { agent } of this.#https.values()) agent.destroy();
    this.#https.clear();
  }

  #exchange(
    request: HttpRequest,
    trust: { insecure: boolean },
    way: { proxy: URL | undefined; tunnel: Socket | undefined },
  ): Promise<HttpResponse> {
    const { url, method, body, signal } = request;
    const headers: Record<string, string> = { 'user-agent': this.#options.userAgent, ...request.headers };
    const isTls = url.protocol === 'https:';
    const material = isTls ? this.#options.certificates.materialFor(url.host) : {};
    const tunnel = way.tunnel;
    const common = { method, headers, ...(signal === undefined ? {} : { signal }) };
    const viaProxy = !isTls && way.proxy !== undefined;
    if (viaProxy) {
      headers.host = url.host;
      const login = proxyLogin(way.proxy);
      if (login !== undefined) headers['proxy-authorization'] = login;
    }
    return new Promise((resolve, reject) => {
      const sent = viaProxy
        ? httpRequest({ ...common, ...hostOf(way.proxy ?? url), path: url.href, agent: this.#http })
        : !isTls
          ? httpRequest(url, { ...common, agent: this.#http })
          : tunnel === undefined
            ? httpsRequest(url, { ...common, agent: this.#agentFor(url.host, trust.insecure, material) })
            : httpsRequest(url, {
                ...common,
                createConnection: () =>
                  tlsConnect({ socket: tunnel, servername: url.hostname, ...tlsOptions(material, trust.insecure) }),
              });
      const stalled = () =>
        sent.destroy(timedOut(`${url.host}: nothing was received for ${this.#options.stallTimeout} ms`));
      sent.setTimeout(this.#options.stallTimeout, stalled);
      sent.once('error', reject);
      sent.once('response', (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response, url });
      });
      if (body === undefined) sent.end();
      else if (body instanceof Uint8Array) sent.end(body);
      else pipeline(body, sent, (error) => error && reject(error));
    });
  }

  #agentFor(host: string, insecure: boolean, material: TlsMaterial): HttpsAgent {
    const key = `${host} ${insecure}`;
    const known = this.#https.get(key);
    if (known?.material === material) return known.agent;
    // What was trusted before the certificates changed is not used again; what is under way ends in peace.
    if (known !== undefined) {
      known.agent.maxFreeSockets = 0;
      for (const socket of Object.values(known.agent.freeSockets).flat()) socket?.destroy();
    }
    const agent = new HttpsAgent({ keepAlive: true, maxFreeSockets: 8, ...tlsOptions(material, insecure) });
    this.#https.set(key, { agent, material });
    return agent;
  }

  /** Asks a proxy for a tunnel to `url`'s host (RFC 9110, CONNECT). */
  #tunnel(proxy: URL, url: URL): Promise<Socket> {
    const target = `${url.hostname}:${url.port || '443'}`;
    const login = proxyLogin(proxy);
    const headers = { host: target, ...(login === undefined ? {} : { 'proxy-authorization': login }) };
    return new Promise((resolve, reject) => {
      const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
      const asked = send({ ...hostOf(proxy), method: 'CONNECT', path: target, headers, agent: false });
      asked.setTimeout(this.#options.stallTimeout, () =>
        asked.destroy(timedOut(`proxy ${proxy.host} does not answer`)),
      );
      asked.once('error', reject);
      asked.once('connect', (response, socket) => {
        if (response.statusCode === 200) resolve(socket);
        else {
          socket.destroy();
          reject(unavailable(`proxy ${proxy.host} refused a connection to ${target}: ${response.statusCode}`));
        }
      });
      asked.end();
    });
  }
}

/** Certificates as node:tls takes them, which asks for lists that may be changed. */
function tlsOptions({ ca, ...pair }: TlsMaterial, insecure: boolean) {
  return { ...pair, ...(ca === undefined ? {} : { ca: [...ca] }), rejectUnauthorized: !insecure };
}

function hostOf(url: URL): { hostname: string; port: string } {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { hostname, port: url.port || (url.protocol === 'https:' ? '443' : '80') };
}

function proxyLogin(proxy: URL | undefined): string | undefined {
  if (!proxy?.username) return undefined;
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  ECONNRESET: 'read: connection reset by peer',
  EPIPE: 'write: broken pipe',
};

/** The words of Go's HTTP client, which users of Docker search for. Query strings may hold secrets and are left out. */
function connectionError(request: HttpRequest, error: unknown): Error {
  const { url, method } = request;
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const code = errnoOf(error) ?? '';
  const place = { address: url.hostname, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) };
  if (typeof error === 'object' && error !== null && 'address' in error) place.address = String(error.address);
  if (code === '' && error instanceof Error && 'kind' in error) return error;
  const why = /^(?:ENOTFOUND|EAI_)/.test(code)
    ? `dial tcp: lookup ${url.hostname}: no such host`
    : /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(code)
      ? `dial tcp ${place.address}:${place.port}: ${reasons[code]}`
      : (reasons[code] ?? tlsReason(code) ?? messageOf(error));
  return unavailable(`${verb} "${url.origin}${url.pathname}": ${why}`, { cause: error, details: { errno: code } });
}

function tlsReason(code: string): string | undefined {
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1\d?)_ALERT_(\w+)$/.exec(code)?.[1];
  if (alert !== undefined) {
    const what = alert === 'UNKNOWN_CA' ? 'unknown certificate authority' : alert.toLowerCase().replaceAll('_', ' ');
    return `remote error: tls: ${what}`;
  }
  if (/SELF_SIGNED|UNABLE_TO|UNKNOWN_CA|ISSUER/.test(code)) {
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  }
  if (code === 'CERT_HAS_EXPIRED') return 'tls: failed to verify certificate: x509: certificate has expired';
  return undefined;
}
