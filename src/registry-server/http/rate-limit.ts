import { fault } from '../faults.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/** Clients remembered; the longest unseen are forgotten, which gives them a full bucket. */
const maxClients = 10_000;

/** Lets each client send so many requests a second, with bursts of ten seconds' worth. */
export class RateLimit {
  readonly #rate: number;
  readonly #buckets = new Map<string, Bucket>();

  /** `rate` in requests per second; 0 is no limit. */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Counts a request of `client` at `now` (ms). Throws TOOMANYREQUESTS with the seconds to wait. */
  take(client: string, now: number): void {
    if (this.#rate === 0) return;
    const burst = this.#rate * 10;
    const bucket = this.#buckets.get(client) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#rate);
    this.#buckets.delete(client);
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined && this.#buckets.size >= maxClients) this.#buckets.delete(oldest);
    this.#buckets.set(client, { tokens: Math.max(0, tokens - 1), at: now });
    if (tokens >= 1) return;
    const retryAfter = Math.max(1, Math.ceil((1 - tokens) / this.#rate));
    throw fault('TOOMANYREQUESTS', `too many requests; try again in ${retryAfter} s`, { retryAfter });
  }
}
