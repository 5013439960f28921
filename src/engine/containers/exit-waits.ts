import { canceled } from '#base';
import type { WaitCondition } from './containers.ts';

/** What `wait` answers. */
export interface ExitResult {
  readonly exitCode: number;
  readonly error?: string;
}

interface Waiter {
  readonly condition: WaitCondition;
  readonly resolve: (result: ExitResult) => void;
}

/** Those who wait for one container's exit or removal. Told by push; nobody polls. */
export class ExitWaits {
  readonly #waiters = new Set<Waiter>();

  /** Resolves at the next exit, or for `removed` at the removal. Rejects `canceled` when `signal` aborts. */
  add(condition: WaitCondition, signal?: AbortSignal): Promise<ExitResult> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiters.delete(waiter);
        reject(canceled('wait: the client went away'));
      };
      const waiter: Waiter = {
        condition,
        resolve: (result) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(result);
        },
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** The process ended. */
  exited(result: ExitResult): void {
    this.#answer(result, (waiter) => waiter.condition !== 'removed');
  }

  /** The container is gone: answers everybody who is left. */
  removed(result: ExitResult): void {
    this.#answer(result, () => true);
  }

  #answer(result: ExitResult, applies: (waiter: Waiter) => boolean): void {
    for (const waiter of [...this.#waiters].filter(applies)) {
      this.#waiters.delete(waiter);
      waiter.resolve(result);
    }
  }
}
