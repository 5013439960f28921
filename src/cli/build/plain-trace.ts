import type { Writable } from 'node:stream';
import type { Trace, TraceLog, TraceStatus, TraceVertex } from '#client';

/** Shows what a build says. */
export interface TraceDisplay {
  show(trace: Trace): void;
  /** Shows what was held back. Nothing comes after. */
  finish(): void;
}

/** What comes within this time, in ms, is shown at once: parts that are done as soon as they begin get one line. */
const pause = 100;
/** How long, in ms, a vertex that says something may wait for the one that is shown. */
const longestWait = 5000;
/** Longest line, in bytes, that is waited for; more is shown in parts. */
const longestLine = 1 << 16;
/** Lines of output that are repeated when a vertex fails. */
const lastLines = 10;

function byteText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const index = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${index === 0 ? bytes : (bytes / 1000 ** index).toFixed(2)}${units[index]}`;
}

const secondsBetween = (from: number | undefined, to: number | undefined): number =>
  from === undefined || to === undefined ? 0 : Math.max(0, to - from) / 1000;

function statusText(status: TraceStatus): string {
  const { current = 0, total = 0, started, completed, timestamp } = status;
  const size = total > 0 ? ` ${byteText(current)} / ${byteText(total)}` : current > 0 ? ` ${byteText(current)}` : '';
  const seconds = secondsBetween(started, completed ?? timestamp);
  const time = seconds > 0.01 ? ` ${seconds.toFixed(1)}s` : '';
  return `${status.id}${size}${time}${completed === undefined ? '' : ' done'}`;
}

/** One vertex, and what of it is not shown yet. */
class ShownVertex {
  readonly number: number;
  vertex: TraceVertex;
  /** Lines complete but for their end; the last of them may go on when `open`. */
  lines: string[] = [];
  open = '';
  /** The last lines of output, for when it fails. */
  readonly last: string[] = [];
  /** When it began to wait for being shown, ms. */
  waitsSince: number | undefined;
  /** Its parts as last shown, and what is new of them. */
  readonly #parts = new Map<string, TraceStatus>();
  readonly #news = new Map<string, TraceStatus>();
  ended = false;

  constructor(number: number, vertex: TraceVertex) {
    this.number = number;
    this.vertex = vertex;
  }

  addLog(log: TraceLog): void {
    const texts = (this.open + Buffer.from(log.data).toString('latin1')).split('\n');
    this.open = texts.pop() ?? '';
    for (const text of texts) this.#addLine(text, log.timestamp);
    if (this.open.length > longestLine) this.close(log.timestamp);
  }

  #addLine(latin: string, timestamp: number): void {
    const seconds = secondsBetween(this.vertex.started, timestamp);
    const text = Buffer.from(latin, 'latin1').toString().replace(/\r$/, '');
    const line = `${seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1)} ${text}`;
    this.lines.push(line);
    this.last.push(line);
    if (this.last.length > lastLines) this.last.shift();
  }

  addStatus(status: TraceStatus): void {
    const before = this.#parts.get(status.id);
    if (before !== undefined && status.completed === undefined) {
      const grown = (status.current ?? 0) - (before.current ?? 0);
      const share = (status.total ?? 0) > 0 ? grown / (status.total ?? 1) : 0;
      if (share < 0.05 && secondsBetween(before.timestamp, status.timestamp) < 5) return;
    }
    this.#news.set(status.id, status);
  }

  get hasNews(): boolean {
    return this.lines.length > 0 || this.#news.size > 0;
  }

  /** The lines to show now. */
  take(): string[] {
    for (const [id, status] of this.#news) this.#parts.set(id, status);
    const lines = [...[...this.#news.values()].map(statusText), ...this.lines];
    this.#news.clear();
    this.lines = [];
    return lines;
  }

  /** Ends what is open: an output's last line may come without an end. */
  close(timestamp: number): void {
    if (this.open !== '') this.#addLine(this.open, timestamp);
    this.open = '';
  }
}

/**
 * Shows a build as lines, as docker's `--progress plain`: vertexes are numbered as they start, one is shown at a time, its
 * lines with its number and, for output, the seconds since its start; others wait until it ends, or some seconds.
 */
export class PlainTrace implements TraceDisplay {
  readonly #output: Writable;
  readonly #vertexes = new Map<string, ShownVertex>();
  readonly #warnings: string[] = [];
  /** Vertexes with something new. */
  readonly #changed = new Set<ShownVertex>();
  #current: ShownVertex | undefined;
  #isFirst = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Writable) {
    this.#output = output;
  }

  show(trace: Trace): void {
    for (const vertex of trace.vertexes) {
      const known = this.#vertexes.get(vertex.digest);
      if (known !== undefined) known.vertex = vertex;
      if (vertex.started === undefined) continue;
      const shown = known ?? new ShownVertex(this.#vertexes.size + 1, vertex);
      this.#vertexes.set(vertex.digest, shown);
      if (!shown.ended) this.#changed.add(shown);
    }
    for (const status of trace.statuses) this.#add(status.vertex, (shown) => shown.addStatus(status));
    for (const log of trace.logs) this.#add(log.vertex, (shown) => shown.addLog(log));
    for (const warning of trace.warnings) this.#warnings.push(warning.short);
    this.#timer ??= setTimeout(() => this.#print(), pause);
  }

  #add(digest: string, change: (shown: ShownVertex) => void): void {
    const shown = this.#vertexes.get(digest);
    if (shown === undefined) return;
    change(shown);
    this.#changed.add(shown);
  }

  /** What ended is shown first; then one that goes on. */
  #print(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changed = new Set(this.#changed);
    this.#changed.clear();
    const isOver = ({ vertex }: ShownVertex): boolean => vertex.completed !== undefined;
    if (this.#current !== undefined && isOver(this.#current)) this.#showVertex(this.#current);
    const over = [...changed].filter((shown) => isOver(shown) && !shown.ended);
    for (const shown of over.sort((a, b) => (a.vertex.completed ?? 0) - (b.vertex.completed ?? 0))) {
      this.#showVertex(shown);
    }
    if (this.#current !== undefined && changed.has(this.#current)) this.#showVertex(this.#current);
    const now = Date.now();
    const waiting = [...this.#vertexes.values()].filter((shown) => !shown.ended && shown !== this.#current);
    for (const shown of waiting) if (shown.hasNews || changed.has(shown)) shown.waitsSince ??= now;
    const next = waiting.filter(({ waitsSince }) => waitsSince !== undefined).sort(byWaiting)[0];
    if (next?.waitsSince === undefined) return;
    if (this.#current === undefined || now - next.waitsSince > longestWait) this.#showVertex(next);
  }

  #showVertex(shown: ShownVertex): void {
    const { number, vertex } = shown;
    const say = (text: string): void => void this.#output.write(`#${number} ${text}\n`);
    if (this.#current !== shown) {
      if (this.#current !== undefined) this.#output.write(`#${this.#current.number} ...\n`);
      if (!this.#isFirst) this.#output.write('\n');
      this.#isFirst = false;
      say(vertex.name);
    }
    this.#current = shown;
    shown.waitsSince = undefined;
    if (vertex.completed !== undefined) shown.close(vertex.completed);
    for (const line of shown.take()) say(line);
    if (vertex.completed === undefined) return;
    shown.ended = true;
    this.#current = undefined;
    if (vertex.error !== undefined) say(isCanceled(vertex.error) ? 'CANCELED' : `ERROR: ${vertex.error}`);
    else if (vertex.cached) say('CACHED');
    else say(`DONE ${secondsBetween(vertex.started, vertex.completed).toFixed(1)}s`);
  }

  finish(): void {
    this.#print();
    for (const shown of this.#vertexes.values()) {
      shown.close(Date.now());
      if (!shown.ended && shown.hasNews) this.#showVertex(shown);
    }
    for (const { vertex, last } of [...this.#vertexes.values()].filter((shown) => hasFailed(shown.vertex))) {
      this.#output.write(['------', ` > ${vertex.name}:`, ...last, '------', ''].join('\n'));
    }
    if (this.#warnings.length === 0) return;
    const many = this.#warnings.length === 1 ? '1 warning' : `${this.#warnings.length} warnings`;
    this.#output.write([``, ` ${many} found:`, ...this.#warnings.map((text) => ` - ${text}`), ''].join('\n'));
  }
}

function byWaiting(a: ShownVertex, b: ShownVertex): number {
  return (a.waitsSince ?? 0) - (b.waitsSince ?? 0);
}

/** True for a vertex that failed of itself, not because the build was ended. */
export function hasFailed({ error }: TraceVertex): boolean {
  return error !== undefined && !isCanceled(error);
}

function isCanceled(error: string): boolean {
  return error.endsWith('context canceled');
}
