import type { Logger } from '#base';
import type { BuildNetwork } from '../builder.ts';

/**
 * Takes the networks of finished steps down while the build goes on: the kernel waits for all processors before it
 * lets go of a link, 10-40 ms that would stand between any two RUN steps.
 */
export class NetworkReleases {
  readonly #running = new Set<Promise<void>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Starts to take `network` down; what fails is logged, and removed by the next daemon. */
  release(network: BuildNetwork): void {
    const running = network
      .close()
      .catch((error: unknown) => this.#logger.warn('taking down the network of a build step', { error }))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when all that was started has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}
