import type { Challenge } from './challenge.ts';
import type { Endpoint } from './endpoint.ts';

/** How an endpoint wants to be spoken to: what a GET of `/v2/` told. */
export interface EndpointBase {
  /** Scheme, host and path before `/v2/`. */
  readonly origin: string;
  readonly challenge: Challenge;
}

/** So many endpoints are remembered; the one that was learned first goes. */
const capacity = 200;
const defaultLifetime = 300_000;

/** Remembers for some minutes what endpoints told of themselves, so that a look at a tag costs one request. */
export class KnownEndpoints {
  readonly #known = new Map<string, { readonly base: EndpointBase; readonly until: number }>();
  readonly #lifetime: number;

  /** `lifetime` in ms. */
  constructor(lifetime = defaultLifetime) {
    this.#lifetime = lifetime;
  }

  get(endpoint: Endpoint): EndpointBase | undefined {
    const entry = this.#known.get(keyOf(endpoint));
    return entry !== undefined && entry.until > Date.now() ? entry.base : undefined;
  }

  set(endpoint: Endpoint, base: EndpointBase): void {
    const key = keyOf(endpoint);
    this.#known.delete(key);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= capacity && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, { base, until: Date.now() + this.#lifetime });
  }

  /** What is known proved wrong. */
  forget(endpoint: Endpoint): void {
    this.#known.delete(keyOf(endpoint));
  }
}

function keyOf({ schemes, host, prefix }: Endpoint): string {
  return `${schemes.join()} ${host}${prefix}`;
}
