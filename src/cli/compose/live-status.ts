import type { StatusEvent } from '#compose';
import type { Terminal } from '../command/index.ts';

interface Line {
  event: StatusEvent;
  readonly began: number;
  ended: number | undefined;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const colours = { working: 36, done: 32, warning: 33, error: 31 } as const;

function paint(kind: keyof typeof colours, text: string): string {
  return `\x1b[${colours[kind]}m${text}\x1b[0m`;
}

/** Shows every resource on a line of its own that changes in place, with the time it took. */
export class LiveStatus {
  readonly #output: Terminal['stderr'];
  readonly #warning: (message: string) => string;
  readonly #lines = new Map<string, Line>();
  #drawn = 0;
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Terminal['stderr'], warning: (message: string) => string) {
    this.#output = output;
    this.#warning = warning;
  }

  status(event: StatusEvent): void {
    const now = Date.now();
    const line = this.#lines.get(event.resource);
    const ended = event.kind === 'working' ? undefined : now;
    if (line === undefined) this.#lines.set(event.resource, { event, began: now, ended });
    else {
      line.event = event;
      line.ended = ended;
    }
    this.#draw();
    this.#timer ??= setInterval(() => {
      this.#tick += 1;
      this.#draw();
    }, 100).unref();
  }

  warn(message: string): void {
    this.#erase();
    this.#output.write(this.#warning(message));
    this.#draw();
  }

  close(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer);
    this.#timer = undefined;
    this.#drawn = 0;
    this.#lines.clear();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#output.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    const all = [...this.#lines.values()];
    if (all.length === 0) return;
    const columns = this.#output.columns ?? 80;
    const rows = Math.max(5, (process.stdout.rows ?? 24) - 2);
    const done = all.filter(({ ended }) => ended !== undefined).length;
    // What still changes is worth more than what is done, where the screen is too small for all.
    const shown =
      all.length <= rows ? all : [...all].sort((a, b) => Number(a.ended ?? 0) - Number(b.ended ?? 0)).slice(0, rows);
    const width = Math.max(...shown.map(({ event }) => event.resource.length));
    const text = shown.map((line) => this.#lineText(line, { columns, width }));
    this.#erase();
    this.#output.write(`${[`[+] Running ${done}/${all.length}`, ...text].join('\n')}\n`);
    this.#drawn = text.length + 1;
  }

  #lineText({ event, began, ended }: Line, size: { columns: number; width: number }): string {
    const marks = { working: spinner[this.#tick % spinner.length] ?? '', done: '✔', warning: '!', error: '✘' };
    const seconds = `${(((ended ?? Date.now()) - began) / 1000).toFixed(1)}s`;
    const room = size.columns - size.width - seconds.length - 6;
    const status = event.status.split('\n')[0]?.slice(0, Math.max(8, room)) ?? '';
    const gap = ' '.repeat(Math.max(1, size.columns - size.width - status.length - seconds.length - 6));
    return ` ${paint(event.kind, marks[event.kind])} ${event.resource.padEnd(size.width)} ${paint(event.kind, status)}${gap}${seconds}`;
  }
}
