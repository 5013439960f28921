import { invalid } from '#base';
import type { Reference } from '#oci';
import { CertificateStore } from './certificates.ts';
import type { Endpoint } from './endpoint.ts';
import { HostList, isLoopback } from './host-rules.ts';
import { KnownEndpoints } from './known-endpoints.ts';
import { namesOf } from './pages.ts';
import { ProxyRules } from './proxy-rules.ts';
import type { Cancelable, RegistryClient, RegistryClientOptions, RegistryLogin, Repository } from './registry.ts';
import { plainError } from './registry-errors.ts';
import { RegistrySession } from './registry-session.ts';
import { RemoteRepository } from './repository.ts';
import type { RetryPolicy } from './retry.ts';
import { Transport } from './transport.ts';

const hub = 'docker.io';
/** Where the API of docker.io is. */
const hubHost = 'registry-1.docker.io';

/** Makes a client over HTTP. No connection is opened before it is used. Throws `invalid` for a mirror that is no URL. */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  return new HttpRegistryClient(options);
}

class HttpRegistryClient implements RegistryClient {
  readonly #transport: Transport;
  readonly #insecure: HostList;
  readonly #mirrors: readonly Endpoint[];
  readonly #retry: RetryPolicy;
  readonly #known = new KnownEndpoints();

  constructor(options: RegistryClientOptions) {
    this.#insecure = new HostList(options.insecureRegistries ?? []);
    this.#retry = { attempts: options.attempts ?? 5, backoff: options.backoff ?? 500 };
    this.#transport = new Transport({
      userAgent: options.userAgent ?? 'berth',
      stallTimeout: options.stallTimeout ?? 60_000,
      proxies: new ProxyRules(options.environment ?? process.env),
      certificates: new CertificateStore(options.certificateDirectories ?? ['/etc/docker/certs.d']),
    });
    this.#mirrors = (options.mirrors ?? []).map((mirror) => this.#mirror(mirror));
  }

  repository(name: Pick<Reference, 'domain' | 'path'>, login: RegistryLogin = {}): Repository {
    // A mirror is another company's: it never sees the login meant for docker.io.
    const mirrors = name.domain === hub ? this.#mirrors.map((mirror) => this.#session(mirror, {})) : [];
    return new RemoteRepository({
      name: { domain: name.domain, path: name.path },
      sessions: [...mirrors, this.#session(this.#endpoint(name.domain), login)],
      transport: this.#transport,
      retry: this.#retry,
    });
  }

  async login(domain: string, login: RegistryLogin, options: Cancelable = {}): Promise<{ identityToken?: string }> {
    const token = await this.#session(this.#endpoint(domain), login).login(options);
    return token === undefined ? {} : { identityToken: token };
  }

  async *catalog(domain: string, login: RegistryLogin = {}, options: Cancelable = {}): AsyncGenerator<string> {
    const session = this.#session(this.#endpoint(domain), login);
    const request = { target: '/v2/_catalog', scopes: ['registry:catalog:*'], field: 'repositories', ...options };
    yield* namesOf(session, request, plainError);
  }

  close(): void {
    this.#transport.close();
  }

  #session(endpoint: Endpoint, login: RegistryLogin): RegistrySession {
    return new RegistrySession(this.#transport, endpoint, { login, retry: this.#retry, known: this.#known });
  }

  #endpoint(domain: string): Endpoint {
    if (domain === hub) return { host: hubHost, prefix: '', schemes: ['https'], insecure: false };
    const insecure = isLoopback(domain) || this.#insecure.has(domain);
    return { host: domain, prefix: '', schemes: insecure ? ['https', 'http'] : ['https'], insecure };
  }

  #mirror(text: string): Endpoint {
    if (!/^https?:\/\//.test(text) || !URL.canParse(text))
      throw invalid(`invalid mirror "${text}": want an http(s) URL`);
    const url = new URL(text);
    const scheme = url.protocol === 'http:' ? 'http' : 'https';
    const insecure = isLoopback(url.host) || this.#insecure.has(url.host);
    return { host: url.host, prefix: url.pathname.replace(/\/+$/, ''), schemes: [scheme], insecure };
  }
}
