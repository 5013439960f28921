import { Writable } from 'node:stream';
import { copyStream, demultiplex } from '#client';
import type { ComposeContext } from './context.ts';

/** Gets the lines of a container's output, without their ends; waits for a slow reader. */
export type LineSink = (line: string, stream: 'stdout' | 'stderr') => void | Promise<void>;

/** Which part of a log is read. Times as the API takes them. */
export interface LogRange {
  readonly follow: boolean;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly timestamps?: boolean | undefined;
  /** A number of lines or `all`. */
  readonly tail?: string | undefined;
}

/** Cuts bytes into lines; what is left at the end without a line end is a line, too. */
class LineWriter extends Writable {
  readonly #sink: (line: string) => void | Promise<void>;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(sink: (line: string) => void | Promise<void>) {
    super();
    this.#sink = sink;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#pass(lines).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#pass(rest === '' ? [] : [rest]).then(() => done(), done);
  }

  async #pass(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const slow = this.#sink(line.replace(/\r$/, ''));
      if (slow !== undefined) await slow;
    }
  }
}

/** Reads a container's log line by line; resolves at its end (when following: when the container ends). */
export async function readLog(
  context: Pick<ComposeContext, 'client' | 'signal'>,
  container: { readonly id: string; readonly tty: boolean },
  options: { readonly range: LogRange; readonly sink: LineSink },
): Promise<void> {
  const { client, signal } = context;
  const { follow, since, until, timestamps, tail } = options.range;
  const source = await client.containers.logs(container.id, {
    follow,
    stdout: true,
    stderr: true,
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    ...(timestamps ? { timestamps } : {}),
    ...(tail ? { tail } : {}),
    ...(signal ? { signal } : {}),
  });
  const stdout = new LineWriter((line) => options.sink(line, 'stdout'));
  const stderr = new LineWriter((line) => options.sink(line, 'stderr'));
  try {
    if (container.tty) await copyStream(source, stdout);
    else await demultiplex(source, { stdout, stderr });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  await Promise.all([stdout, stderr].map((writer) => new Promise<void>((resolve) => writer.end(resolve))));
}
