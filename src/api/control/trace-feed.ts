import type { Trace, TraceLog } from '#buildkit';

/** Bytes of logs that may wait for a client that reads slowly, or not at all. */
const mostLogBytes = 16 << 20;

/** What happens in one build, from the builder, which does not wait, to a client that reads at its own pace. */
export class TraceFeed {
  #parts: Partial<Trace>[] = [];
  #logBytes = 0;
  #clipped = false;
  #ended = false;
  /** Those who wait for more. */
  readonly #waiting = new Set<() => void>();

  /** Adds a part. Logs are left out, and that is said once, while too much of them waits. */
  readonly push = (part: Partial<Trace>): void => {
    const bytes = part.logs?.reduce((sum, { data }) => sum + data.length, 0) ?? 0;
    if (this.#ended) return;
    if (this.#logBytes + bytes <= mostLogBytes) {
      this.#clipped = false;
      this.#logBytes += bytes;
      this.#parts.push(part);
    } else if (!this.#clipped) {
      this.#clipped = true;
      this.#parts.push({ ...part, logs: (part.logs ?? []).slice(0, 1).map(clipped) });
    }
    this.#wake();
  };

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** What has come and comes, to the end; each part is given once. Ends early with the signal. */
  async *read(signal: AbortSignal): AsyncGenerator<Partial<Trace>> {
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const parts = this.#parts;
        this.#parts = [];
        this.#logBytes = 0;
        yield* parts;
        if (this.#parts.length > 0) continue;
        // All of this in one turn with the waiting, or a change would be missed.
        if (this.#ended || signal.aborted) return;
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #wake(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }
}

function clipped(log: TraceLog): TraceLog {
  return { ...log, data: Buffer.from('[output clipped: it came faster than it was read]\n') };
}
