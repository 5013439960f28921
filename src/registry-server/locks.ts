import { conflict, KeyedLock } from '#base';

/**
 * Who works on a blob, an upload or a webhook: one at a time. Several servers on one store need locks that they share.
 */
export interface Locks {
  /**
   * Waits until nobody else has `key`, then runs `task`. With `wait: false` throws `conflict` at once where somebody has it.
   */
  run<T>(key: string, task: () => Promise<T>, options?: { readonly wait?: boolean }): Promise<T>;
}

/** The locks of one process. */
export class LocalLocks implements Locks {
  readonly #lock = new KeyedLock();
  readonly #users = new Map<string, number>();

  async run<T>(key: string, task: () => Promise<T>, options: { readonly wait?: boolean } = {}): Promise<T> {
    const users = this.#users.get(key) ?? 0;
    if (users > 0 && options.wait === false) throw lockTaken(key);
    this.#users.set(key, users + 1);
    try {
      return await this.#lock.run(key, task);
    } finally {
      const left = (this.#users.get(key) ?? 1) - 1;
      if (left === 0) this.#users.delete(key);
      else this.#users.set(key, left);
    }
  }
}

/** What who does not wait is told. */
export function lockTaken(key: string) {
  return conflict(`somebody else works on ${key}; try again`);
}
