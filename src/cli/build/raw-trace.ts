import type { Writable } from 'node:stream';
import type { Trace } from '#client';
import type { TraceDisplay } from './plain-trace.ts';

const timeText = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** Shows a build for programs, as `--progress rawjson`: one JSON object a message, with the keys of BuildKit's client. */
export class RawTrace implements TraceDisplay {
  readonly #output: Writable;

  constructor(output: Writable) {
    this.#output = output;
  }

  show(trace: Trace): void {
    const shown = {
      vertexes: trace.vertexes.map(({ started, completed, cached, ...rest }) => ({
        ...rest,
        started: timeText(started),
        completed: timeText(completed),
        cached: cached || undefined,
      })),
      statuses: trace.statuses.map(({ started, completed, timestamp, ...rest }) => ({
        ...rest,
        timestamp: timeText(timestamp),
        started: timeText(started),
        completed: timeText(completed),
      })),
      logs: trace.logs.map(({ data, timestamp, ...rest }) => ({
        ...rest,
        data: Buffer.from(data).toString('base64'),
        timestamp: timeText(timestamp),
      })),
      warnings: trace.warnings,
    };
    const filled = Object.entries(shown).filter(([, list]) => list.length > 0);
    if (filled.length > 0) this.#output.write(`${JSON.stringify(Object.fromEntries(filled))}\n`);
  }

  finish(): void {}
}
