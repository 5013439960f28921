import type { Attachment } from '#runtime';
import { LateAttachment, type OutputChoice } from './late-attachment.ts';

/** Clients that attached before the start: wired between the runtime's create and start, so no output is missed. */
export class WaitingAttaches {
  readonly #waiting = new Set<LateAttachment>();

  /** An attachment that comes to life at the next start. */
  add(choice: OutputChoice): Attachment {
    const late: LateAttachment = new LateAttachment(choice, () => this.#waiting.delete(late));
    this.#waiting.add(late);
    return late;
  }

  /** Connects all who wait to the process that is about to run. */
  async wire(process: { attach(): Promise<Attachment> }): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await Promise.all(
      waiting.map(async (late) => {
        try {
          late.connect(await process.attach());
        } catch (error) {
          late.close();
          throw error;
        }
      }),
    );
  }

  /** The start failed or the container goes: ends every output. */
  abort(): void {
    for (const late of [...this.#waiting]) late.close();
    this.#waiting.clear();
  }
}
