import { canceled } from '#base';

/** Those who wait for what others bring, by key. */
export class KeyedWaiters<T> {
  readonly #waiting = new Map<string, Set<(value: T) => void>>();

  /** Gives `value` to all who wait for `key`; false when nobody does. */
  give(key: string, value: T): boolean {
    const waiting = this.#waiting.get(key);
    for (const take of waiting ?? []) take(value);
    return waiting !== undefined;
  }

  /** Waits for `key`, at most `ms`. Throws `late()` after that and `canceled` when the signal ends. */
  wait(
    key: string,
    options: { readonly signal: AbortSignal; readonly ms: number; readonly late: () => Error },
  ): Promise<T> {
    const { signal, ms, late } = options;
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        waiting.delete(take);
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        act();
      };
      const take = (value: T) => settle(() => resolve(value));
      const onAbort = () => settle(() => reject(canceled('context canceled')));
      const timer = setTimeout(() => settle(() => reject(late())), ms);
      waiting.add(take);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }
}
