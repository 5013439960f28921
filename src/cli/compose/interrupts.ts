/** What an interruption does. */
export interface InterruptActions {
  /** Whether there is something to stop; before that, the first interruption only gives up. */
  readonly graceful: () => boolean;
  /** Tells the user what happens. */
  readonly say: (text: string) => void;
  /** Ends at once what is being stopped. */
  readonly kill: () => Promise<void>;
}

/** Ctrl-C and SIGTERM: the first stops gracefully, the second kills, the third ends this process alone, with 130. */
export class Interrupts implements Disposable {
  readonly #actions: InterruptActions;
  readonly #stopping = new AbortController();
  readonly #listener = (): void => this.interrupt();
  #count = 0;

  constructor(actions: InterruptActions) {
    this.#actions = actions;
    process.on('SIGINT', this.#listener);
    process.on('SIGTERM', this.#listener);
  }

  /** Fires at the first one. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves at the first one. */
  get requested(): Promise<'interrupted'> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      if (signal.aborted) resolve('interrupted');
      else signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
    });
  }

  /** As if a signal had come. */
  interrupt(): void {
    this.#count += 1;
    if (this.#count === 1) {
      if (this.#actions.graceful()) this.#actions.say('Gracefully Stopping... press Ctrl+C again to force\n');
      this.#stopping.abort();
    } else if (this.#count === 2 && this.#actions.graceful()) void this.#actions.kill();
    else process.exit(130);
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#listener);
    process.off('SIGTERM', this.#listener);
  }
}
