import { type Logger, messageOf } from '#base';

/** Work that goes on after the answer: clean-up that nobody waits for, until shutdown. */
export class BackgroundWork {
  readonly #logger: Logger;
  readonly #running = new Set<Promise<void>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Runs `task` now. A failure is logged under `what`; the returned promise never rejects. */
  run(what: string, task: () => Promise<unknown>): Promise<void> {
    const work: Promise<void> = task()
      .then(
        () => undefined,
        (error: unknown) => this.#logger.warn(`${what} failed`, { error: messageOf(error) }),
      )
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
    return work;
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
