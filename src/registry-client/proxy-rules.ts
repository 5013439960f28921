import { HostList, isLoopback } from './host-rules.ts';

/**
 * Which proxy leads to a host, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY in upper or lower case. Loopback is never asked
 * through a proxy.
 */
export class ProxyRules {
  readonly #http: URL | undefined;
  readonly #https: URL | undefined;
  readonly #exempt: HostList;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    const read = (name: string) => environment[name] || environment[name.toLowerCase()] || undefined;
    this.#http = proxyUrl(read('HTTP_PROXY'));
    this.#https = proxyUrl(read('HTTPS_PROXY'));
    this.#exempt = new HostList((read('NO_PROXY') ?? '').split(',').map((entry) => entry.trim()));
  }

  /** The proxy for `url`; undefined to connect straight. */
  proxyFor(url: URL): URL | undefined {
    const proxy = url.protocol === 'https:' ? this.#https : this.#http;
    if (proxy === undefined || isLoopback(url.hostname) || this.#exempt.hasDomain(url.host)) return undefined;
    return proxy;
  }
}

/** A value that is no URL is taken as `host:port`; one that even so makes none is as if unset. */
function proxyUrl(value: string | undefined): URL | undefined {
  if (value === undefined) return undefined;
  const text = /^[a-z]+:\/\//i.test(value) ? value : `http://${value}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}
