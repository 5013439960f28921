import type { LogLine, LogQuery } from '../runtime.ts';

const newline = 10;
const space = 32;
const [letterE, letterP] = [101, 80];

/** One line that decodes its time only when asked: most readers never do. */
class BufferedLine implements LogLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: Buffer;
  readonly partial: boolean;
  readonly #source: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(source: Buffer, place: { start: number; time: number; text: number; end: number }) {
    this.#source = source;
    this.#start = place.start;
    this.#end = place.time;
    this.stream = source[place.time + 4] === letterE ? 'stderr' : 'stdout';
    this.partial = source[place.time + 8] === letterP;
    this.text = source.subarray(place.text, place.end);
  }

  get time(): string {
    return this.#source.toString('latin1', this.#start, this.#end);
  }
}

/** Splits whole lines of CRI log format (`TIME stdout|stderr F|P TEXT`) and keeps those that the query wants. */
export class LineParser {
  readonly #query: LogQuery;
  readonly #since: bigint | undefined;
  readonly #until: bigint | undefined;
  #second = '';
  #secondNs = 0n;
  /** True once a line at or after `until` was met: nothing more will follow. */
  finished = false;

  constructor(query: LogQuery) {
    this.#query = query;
    this.#since = query.since;
    this.#until = query.until;
  }

  /** Lines of `data` up to its last newline, and how many bytes they took. Malformed lines are left out. */
  parse(data: Buffer): { lines: LogLine[]; used: number } {
    const lines: LogLine[] = [];
    let start = 0;
    for (let end = data.indexOf(newline); end !== -1 && !this.finished; end = data.indexOf(newline, start)) {
      const line = this.#line(data, start, end);
      if (line) lines.push(line);
      start = end + 1;
    }
    return { lines, used: start };
  }

  #line(data: Buffer, start: number, end: number): LogLine | undefined {
    const time = data.indexOf(space, start);
    const text = time + 10; // " stdout F " after the time
    if (time === -1 || text > end) return undefined;
    const wanted = data[time + 4] === letterE ? this.#query.stderr : this.#query.stdout;
    if (this.#since !== undefined || this.#until !== undefined) {
      const at = this.#nanoseconds(data.toString('latin1', start, time));
      if (this.#until !== undefined && at > this.#until) {
        this.finished = true;
        return undefined;
      }
      if (this.#since !== undefined && at < this.#since) return undefined;
    }
    return wanted ? new BufferedLine(data, { start, time, text, end }) : undefined;
  }

  /** `2026-11-21T02:21:46.487832751+00:00` to ns since the epoch; lines of one second share the costly part. */
  #nanoseconds(time: string): bigint {
    const dot = time.indexOf('.');
    const second = time.slice(0, dot) + time.slice(dot + 10);
    if (second !== this.#second) {
      this.#second = second;
      const ms = Date.parse(second);
      this.#secondNs = Number.isNaN(ms) ? 0n : BigInt(ms) * 1_000_000n;
    }
    return this.#secondNs + BigInt(Number(time.slice(dot + 1, dot + 10)) || 0);
  }
}
