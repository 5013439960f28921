/**
 * What operations under way need, so that garbage collection leaves it alone: blob digests and snapshot keys. Held in
 * memory only: an operation ends with the process.
 */
export class Leases {
  readonly #held = new Map<string, number>();
  readonly #doomed = new Map<string, Promise<unknown>>();
  readonly #operations = new Set<{ readonly startedAt: number }>();

  /**
   * When the oldest operation under way began, ms since the epoch; now if there is none. What is younger may be the
   * result of a write whose digest, and so its name to hold, is not known before it ends.
   */
  oldest(): number {
    return Math.min(Date.now(), ...[...this.#operations].map((operation) => operation.startedAt));
  }

  /** Runs `body` with a lease and releases all that it held afterwards. */
  async with<T>(body: (lease: Lease) => Promise<T>): Promise<T> {
    const keys = new Set<string>();
    const lease: Lease = {
      hold: async (...wanted) => {
        for (const key of wanted) {
          if (keys.has(key)) continue;
          keys.add(key);
          this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
        }
        // What is being removed right now is gone for whoever asks next, and never half there.
        await Promise.allSettled(wanted.map((key) => this.#doomed.get(key)));
      },
    };
    const operation = { startedAt: Date.now() };
    this.#operations.add(operation);
    try {
      return await body(lease);
    } finally {
      this.#operations.delete(operation);
      for (const key of keys) this.#release(key);
    }
  }

  /** Runs `removal` of `key` unless somebody holds it; returns whether it ran. */
  async remove(key: string, removal: () => Promise<void>): Promise<boolean> {
    if (this.#held.has(key) || this.#doomed.has(key)) return false;
    const running = removal();
    this.#doomed.set(key, running);
    try {
      await running;
      return true;
    } finally {
      this.#doomed.delete(key);
    }
  }

  #release(key: string): void {
    const count = (this.#held.get(key) ?? 1) - 1;
    if (count === 0) this.#held.delete(key);
    else this.#held.set(key, count);
  }
}

/** One operation's hold. */
export interface Lease {
  /** Holds these until the operation ends. Await it before asking whether they exist. */
  hold(...keys: string[]): Promise<void>;
}
