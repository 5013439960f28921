import { type Readable, Writable } from 'node:stream';
import type { ProjectLog } from '#api-types';
import { isBerthError } from '#base';
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
  const { follow } = options.range;
  const source = await context.client.containers.logs(container.id, { follow, ...queryOf(context, options.range) });
  await passLines(context, source, { tty: container.tty, sink: options.sink });
}

/** Joins a container's output as it is written; `ended` resolves when the container has. */
export async function readAttached(
  context: Pick<ComposeContext, 'client' | 'signal'>,
  container: { readonly id: string; readonly tty: boolean },
  sink: LineSink,
): Promise<{ readonly ended: Promise<void> }> {
  const { signal } = context;
  const options = { stdout: true, stderr: true, ...(signal ? { signal } : {}) };
  const { stream } = await context.client.containers.attach(container.id, options);
  signal?.addEventListener('abort', () => stream.destroy(), { once: true });
  return { ended: passLines(context, stream, { tty: container.tty, sink }) };
}

/** A time in nanoseconds since the epoch as the API takes it. */
export function apiTime(nanos: bigint): string {
  return `${nanos / 1_000_000_000n}.${String(nanos % 1_000_000_000n).padStart(9, '0')}`;
}

/**
 * A time, as the API takes it, right after the last line that is stamped at or after `since`; undefined when there is no
 * such line or the log cannot be read.
 */
export async function lastStamp(
  context: Pick<ComposeContext, 'client' | 'signal'>,
  id: string,
  since: string,
): Promise<string | undefined> {
  let last: string | undefined;
  try {
    const { Config } = await context.client.containers.inspect(id);
    const range = { follow: false, since, timestamps: true };
    await readLog(
      context,
      { id, tty: Config.Tty },
      {
        range,
        sink: (line) => {
          last = line;
        },
      },
    );
  } catch {
    return undefined;
  }
  const [, second, fraction = ''] = /^(\S{19})(?:\.(\d+))?Z /.exec(last ?? '') ?? [];
  if (second === undefined) return undefined;
  const nanos = BigInt(Date.parse(`${second}Z`) / 1000) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')) + 1n;
  return apiTime(nanos);
}

function queryOf({ signal }: Pick<ComposeContext, 'signal'>, { since, until, timestamps, tail }: LogRange) {
  return {
    stdout: true,
    stderr: true,
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    ...(timestamps ? { timestamps } : {}),
    ...(tail ? { tail } : {}),
    ...(signal ? { signal } : {}),
  };
}

/** Reads what earlier containers of a project's services wrote, oldest first; nothing on an engine that keeps none. */
export async function readEarlierLogs(
  context: Pick<ComposeContext, 'client' | 'signal' | 'projectName'>,
  options: {
    readonly range: LogRange;
    readonly wants: (log: ProjectLog) => boolean;
    readonly sink: (log: ProjectLog) => LineSink;
  },
): Promise<void> {
  const { client, projectName } = context;
  const logs = await client.projects.logs(projectName).catch((error: unknown) => {
    if (isBerthError(error, 'not-found')) return [];
    throw error;
  });
  for (const log of logs.filter(options.wants)) {
    const source = await client.projects.log(projectName, log.ID, queryOf(context, options.range));
    await passLines(context, source, { tty: log.Tty, sink: options.sink(log) });
  }
}

async function passLines(
  { signal }: Pick<ComposeContext, 'signal'>,
  source: Readable,
  options: { readonly tty: boolean; readonly sink: LineSink },
): Promise<void> {
  const stdout = new LineWriter((line) => options.sink(line, 'stdout'));
  const stderr = new LineWriter((line) => options.sink(line, 'stderr'));
  try {
    if (options.tty) await copyStream(source, stdout);
    else await demultiplex(source, { stdout, stderr });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  await Promise.all([stdout, stderr].map((writer) => new Promise<void>((resolve) => writer.end(resolve))));
}
