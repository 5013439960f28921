import type { Reporter, StatusEvent } from '#compose';
import type { Terminal } from '../command/index.ts';

interface Line {
  event: StatusEvent;
  readonly began: number;
  ended: number | undefined;
}

/** How a {@link LiveStatus} looks. */
export interface LiveStatusOptions {
  readonly colour: boolean;
  /** A warning as a line of text. */
  readonly warning: (message: string) => string;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const colours = { working: 36, done: 32, warning: 33, error: 31 } as const;
/** Milliseconds between two frames. */
const frame = 100;

/** A text of at most `columns` characters; what is cut is marked. */
function clip(text: string, columns: number): string {
  if (text.length <= columns) return text;
  return columns < 2 ? '' : `${text.slice(0, columns - 1)}…`;
}

/** The end of a text, where names differ. */
function clipFront(text: string, columns: number): string {
  return text.length <= columns ? text : `…${text.slice(text.length - columns + 1)}`;
}

/** The text without what only changes how it looks. */
function bare(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told by control characters
  return text.replace(/\x1b\[[\d;]*m/g, '');
}

/**
 * Shows every resource on a line of its own that changes in place, with the time it took, and on request one line below
 * them. A frame is one write, and no line is longer than the terminal is wide: a line that wraps could not be drawn over.
 */
export class LiveStatus implements Reporter {
  readonly #output: Terminal['stderr'] & { rows?: number };
  readonly #options: LiveStatusOptions;
  readonly #lines = new Map<string, Line>();
  /** Length of each line on the screen. */
  #drawn: readonly number[] = [];
  #kept: string | undefined;
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Terminal['stderr'], options: LiveStatusOptions) {
    this.#output = output;
    this.#options = options;
  }

  status(event: StatusEvent): void {
    const now = Date.now();
    const key = `${event.parent ?? ''} ${event.resource}`;
    const line = this.#lines.get(key);
    const ended = event.kind === 'working' ? undefined : now;
    if (line === undefined) this.#lines.set(key, { event, began: now, ended });
    else {
      line.event = event;
      line.ended = ended;
    }
    if (this.#timer !== undefined) return;
    this.#write('');
    this.#timer = setInterval(() => {
      this.#tick += 1;
      this.#write('');
    }, frame).unref();
  }

  warn(message: string): void {
    this.#write(this.#options.warning(message));
  }

  print(text: string): void {
    this.#write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Writes something else to the terminal, above what is shown. */
  above<T>(write: () => T): T {
    if (this.#drawn.length === 0) return write();
    this.#output.write(`${this.#back()}\x1b[J`);
    this.#drawn = [];
    const result = write();
    this.#write('');
    return result;
  }

  /** Keeps a line below all else, until it is told `undefined`. */
  keep(line: string | undefined): void {
    this.#kept = line;
    this.#write('');
  }

  /** Makes room for other output: what is shown stays as it is. */
  close(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#lines.size === 0) return;
    const kept = this.#kept;
    this.keep(undefined);
    this.#drawn = [];
    this.#lines.clear();
    if (kept !== undefined) this.keep(kept);
  }

  /** Draws the next frame, with `text` above it. */
  #write(text: string): void {
    const lines = this.#frame();
    // Each line ends by clearing what a longer one left; below the last one all is cleared.
    const body = lines.map((line) => `${line}\x1b[K\n`).join('');
    const back = this.#back();
    const above = text === '' ? '' : `${back === '' ? '' : '\x1b[J'}${text}`;
    const rest = this.#rows() > lines.length && text === '' ? '\x1b[J' : '';
    this.#drawn = lines.map((line) => bare(line).length);
    const frame = `${back}${above}${body}${rest}`;
    if (frame !== '') this.#output.write(frame);
  }

  /** Rows that the lines on the screen take: a terminal that has become narrower has wrapped them. */
  #rows(): number {
    const columns = this.#output.columns ?? 80;
    return this.#drawn.reduce((rows, length) => rows + Math.max(1, Math.ceil(length / columns)), 0);
  }

  /** Goes to where the lines on the screen begin. */
  #back(): string {
    const rows = this.#rows();
    return rows === 0 ? '' : `\x1b[${rows}A\r`;
  }

  #frame(): string[] {
    const columns = this.#output.columns ?? 80;
    const kept = this.#kept === undefined ? [] : [this.#kept];
    return [
      ...this.#statuses(columns),
      ...kept.map((line) => (bare(line).length < columns ? line : clip(bare(line), columns))),
    ];
  }

  #statuses(columns: number): string[] {
    const tops = [...this.#lines.values()].filter(({ event }) => event.parent === undefined);
    if (tops.length === 0) return [];
    const rows = Math.max(5, (this.#output.rows ?? 24) - 2);
    const done = tops.filter(({ ended }) => ended !== undefined).length;
    // What still changes is worth more than what is done, where the screen is too small for all.
    const shown =
      tops.length <= rows ? tops : [...tops].sort((a, b) => Number(a.ended ?? 0) - Number(b.ended ?? 0)).slice(0, rows);
    let room = rows - shown.length;
    const all = shown.flatMap((top) => {
      const parts = top.ended === undefined ? this.#partsOf(top).slice(0, Math.max(0, room)) : [];
      room -= parts.length;
      return [top, ...parts];
    });
    const width = Math.min(Math.max(...all.map((line) => labelOf(line).length)), Math.max(10, columns - 24));
    return [
      clip(`[+] Running ${done}/${tops.length}`, columns),
      ...all.map((line) => this.#lineText(line, { columns, width })),
    ];
  }

  #partsOf({ event }: Line): Line[] {
    return [...this.#lines.values()].filter((line) => line.event.parent === event.resource);
  }

  #lineText(line: Line, size: { columns: number; width: number }): string {
    const { event, began, ended } = line;
    const marks = { working: spinner[this.#tick % spinner.length] ?? '', done: '✔', warning: '!', error: '✘' };
    const seconds = `${(((ended ?? Date.now()) - began) / 1000).toFixed(1)}s`;
    const label = clipFront(labelOf(line), size.width).padEnd(size.width);
    // A space, the mark, a space, the label, two spaces, the status, a space, the time, and a column left free.
    const room = Math.max(0, size.columns - size.width - seconds.length - 7);
    const said = [event.text, event.status].filter(Boolean).join(' ').split('\n')[0] ?? '';
    const status = clip(said, room);
    const gap = ' '.repeat(room - status.length + 1);
    return ` ${this.#paint(event.kind, marks[event.kind])} ${label}  ${this.#paint(event.kind, status)}${gap}${seconds}`;
  }

  #paint(kind: keyof typeof colours, text: string): string {
    return this.#options.colour ? `\x1b[${colours[kind]}m${text}\x1b[0m` : text;
  }
}

function labelOf({ event }: Line): string {
  return event.parent === undefined ? event.resource : `  ${event.resource}`;
}
