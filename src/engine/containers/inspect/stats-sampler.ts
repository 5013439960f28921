import type { ContainerStats, StatsPair } from '../containers.ts';
import type { LiveContainer } from '../live-container.ts';

/** What sampling needs. */
export interface SamplerOptions {
  /** Reads a container's counters. */
  readonly read: (container: LiveContainer) => Promise<ContainerStats>;
  /** False once it has been removed: its watches end. */
  readonly exists: (container: LiveContainer) => boolean;
  /** ms between two samples; Docker's is 1000. */
  readonly interval?: number;
}

interface Watched {
  readonly container: LiveContainer;
  readonly watchers: Set<Watcher>;
  last: StatsPair | undefined;
  /** ms since the epoch of the last sample. */
  at: number;
}

interface Watcher {
  /** The newest pair not yet taken: who reads slowly misses samples, and costs no memory. */
  next: StatsPair | undefined;
  ended: boolean;
  wake: () => void;
}

/** Containers read in a row before others get their turn on the event loop. */
const slice = 8;

/**
 * Samples all watched containers together: one timer and one pass over the cgroup files a second, however many clients
 * watch however many containers. The first sample of a watch is taken at once, in one pass with those that begin with it.
 */
export class StatsSampler {
  readonly #options: SamplerOptions;
  readonly #interval: number;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #sampling = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#interval = options.interval ?? 1000;
  }

  /** Samples until `signal` aborts or the container is removed. Also of a container that does not run: without counters. */
  async *watch(container: LiveContainer, signal: AbortSignal): AsyncGenerator<StatsPair> {
    const watcher: Watcher = { next: undefined, ended: false, wake: () => undefined };
    const watched = this.#join(container, watcher);
    const stop = () => this.#end(watcher);
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        if (watcher.next === undefined) {
          if (watcher.ended) return;
          await new Promise<void>((resolve) => {
            watcher.wake = resolve;
          });
          continue;
        }
        const pair = watcher.next;
        watcher.next = undefined;
        yield pair;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#leave(watched, watcher);
    }
  }

  /** Ends all watches. */
  shutdown(): void {
    for (const { watchers } of this.#watched.values()) for (const watcher of watchers) this.#end(watcher);
  }

  #join(container: LiveContainer, watcher: Watcher): Watched {
    const known = this.#watched.get(container.id);
    const watched = known ?? { container, watchers: new Set(), last: undefined, at: 0 };
    this.#watched.set(container.id, watched);
    watched.watchers.add(watcher);
    // A newcomer's deltas begin with its own first sample; one that was just taken for another will do.
    if (watched.last !== undefined) watcher.next = { sample: watched.last.sample, before: undefined };
    else this.#startPass();
    this.#timer ??= setInterval(() => this.#startPass(), this.#interval);
    return watched;
  }

  #leave(watched: Watched, watcher: Watcher): void {
    watched.watchers.delete(watcher);
    if (watched.watchers.size === 0 && this.#watched.get(watched.container.id) === watched) {
      this.#watched.delete(watched.container.id);
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #startPass(): void {
    if (this.#sampling) return;
    this.#sampling = true;
    void this.#sampleAll().finally(() => {
      this.#sampling = false;
    });
  }

  async #sampleAll(): Promise<void> {
    // Those who come in the same turn are sampled together; those who come during the pass are in it too.
    await nextTurn();
    let count = 0;
    for (const watched of this.#watched.values()) {
      // What began between two passes has had its first sample: its second is due after half an interval at least.
      if (Date.now() - watched.at < this.#interval / 2) continue;
      if (++count % slice === 0) await nextTurn();
      await this.#sample(watched);
    }
  }

  async #sample(watched: Watched): Promise<void> {
    const { container, watchers } = watched;
    if (!this.#options.exists(container)) {
      for (const watcher of watchers) this.#end(watcher);
      return;
    }
    const sample = await this.#options.read(container);
    const pair = { sample, before: watched.last?.sample };
    watched.last = pair;
    watched.at = Date.now();
    for (const watcher of watchers) {
      watcher.next = pair;
      watcher.wake();
    }
  }

  #end(watcher: Watcher): void {
    watcher.ended = true;
    watcher.wake();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
