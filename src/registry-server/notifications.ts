import { randomUUID } from 'node:crypto';
import { type Logger, messageOf } from '#base';
import type { Locks } from './locks.ts';
import type { EventRecords, RegistryEvent } from './records/records.ts';

/** Where events are sent. */
export interface WebhookOptions {
  /** Tells endpoints apart over restarts. */
  readonly name: string;
  readonly url: string;
  /** Such as Authorization. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What {@link Notifier} is made of. */
export interface NotifierOptions {
  readonly records: EventRecords;
  /** Keyed `webhook:NAME`: one server at a time sends, and the events stay in order. */
  readonly locks: Locks;
  readonly endpoints: readonly WebhookOptions[];
  /** Longest wait for an endpoint's answer, ms. */
  readonly timeout: number;
  /** First pause after a failure in ms; doubled each time up to a hundredfold. */
  readonly backoff: number;
  readonly logger: Logger;
}

const batch = 50;
/** Events kept for endpoints that do not answer; the oldest go first. */
const keep = 10_000;

/**
 * Sends events to webhooks in the order they happened, each at least once: they were stored in the transaction of what
 * they tell of, and are dropped when all endpoints have answered 2xx. The body is Docker's notification envelope.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #stop = new AbortController();
  readonly #wakers = new Set<() => void>();
  #loops: Promise<void>[] = [];

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Begins with what is left from before. */
  start(): void {
    this.#loops = this.#options.endpoints.map((endpoint) => this.#deliverAll(endpoint));
  }

  /** Tells that an event may have been stored. */
  wake(): void {
    for (const wake of this.#wakers) wake();
  }

  /** Ends deliveries; what is left is sent after the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await Promise.all(this.#loops);
  }

  async #deliverAll(endpoint: WebhookOptions): Promise<void> {
    const { logger, backoff } = this.#options;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const news = this.#nextWake();
      try {
        if (!(await this.#deliverSome(endpoint))) await news.promise;
        failures = 0;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        failures += 1;
        logger.warn('a webhook failed', { endpoint: endpoint.name, failures, error: messageOf(error) });
        await this.#pause(backoff * Math.min(100, 2 ** (failures - 1)));
      } finally {
        news.cancel();
      }
    }
  }

  /** False where no event waits. */
  #deliverSome(endpoint: WebhookOptions): Promise<boolean> {
    const { records, endpoints, locks } = this.#options;
    return locks.run(`webhook:${endpoint.name}`, async () => {
      const events = await records.nextEvents(endpoint.name, batch);
      const last = events.at(-1);
      if (last === undefined) return false;
      await this.#send(endpoint, events);
      await records.delivered(endpoint.name, last.id, { endpoints: endpoints.map(({ name }) => name), keep });
      return true;
    });
  }

  #nextWake(): { promise: Promise<void>; cancel: () => void } {
    let wake = () => {};
    const promise = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#wakers.add(wake);
    if (this.#stop.signal.aborted) wake();
    return { promise, cancel: () => this.#wakers.delete(wake) };
  }

  #pause(duration: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, duration);
      this.#stop.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }

  async #send(endpoint: WebhookOptions, events: { id: number; event: RegistryEvent }[]): Promise<void> {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      redirect: 'error',
      headers: { ...endpoint.headers, 'Content-Type': 'application/vnd.docker.distribution.events.v1+json' },
      body: JSON.stringify({ events: events.map(({ event }) => envelope(event)) }),
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#options.timeout)]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`answered ${response.status}`);
  }
}

/** An event in the form of Docker's registry notifications. */
function envelope(event: RegistryEvent) {
  const { repository, digest, mediaType, size, tag, fromRepository, url, address, host, method, agent } = event;
  return {
    id: randomUUID(),
    timestamp: new Date(event.at).toISOString(),
    action: event.action,
    target: { repository, digest, mediaType, size, length: size, tag, fromRepository, url },
    request: { id: randomUUID(), addr: address, host, method, useragent: agent },
    actor: { name: event.user },
  };
}
