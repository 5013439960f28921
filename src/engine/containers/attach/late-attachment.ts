import { conflict } from '#base';
import type { Attachment, OutputChunk } from '#runtime';

/** Which output an attach wants to see. */
export interface OutputChoice {
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/**
 * An attachment to a process that may not exist yet: reads and writes wait until {@link LateAttachment.connect}, and
 * then pass straight through, so a slow reader slows the process and nothing piles up here.
 */
export class LateAttachment implements Attachment {
  readonly output: AsyncIterable<OutputChunk>;
  readonly #connected: Promise<Attachment | undefined>;
  #resolve: (real: Attachment | undefined) => void = () => {};
  #real: Attachment | undefined;
  /** Input in the order given: a piped client has often said all, and that it is all, before the process exists. */
  #input: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #onClose: () => void;

  /** `onClose` runs once when the client detaches or the wait is given up. */
  constructor(choice: OutputChoice, onClose: () => void) {
    this.#onClose = onClose;
    this.#connected = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.output = this.#read(choice);
  }

  /** Wires it to the process. One that was closed meanwhile closes `real`. */
  connect(real: Attachment): void {
    if (this.#closed) {
      real.close();
      return;
    }
    this.#real = real;
    this.#resolve(real);
  }

  write(data: Uint8Array): Promise<void> {
    const written = this.#input.then(() => this.#send(data));
    this.#input = written.catch(() => undefined);
    return written;
  }

  endInput(): void {
    this.#input = this.#input.then(async () => (await this.#connected)?.endInput());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    this.#resolve(undefined);
    this.#real?.close();
  }

  async #send(data: Uint8Array): Promise<void> {
    const real = await this.#connected;
    if (real === undefined) throw conflict('attach: the container is not running');
    await real.write(data);
  }

  async *#read(choice: OutputChoice): AsyncGenerator<OutputChunk, void, undefined> {
    const real = await this.#connected;
    if (real === undefined) return;
    for await (const chunk of real.output) if (choice[chunk.stream]) yield chunk;
  }
}
