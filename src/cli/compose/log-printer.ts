import type { Terminal } from '../command/index.ts';

const colours = ['36', '33', '32', '35', '34', '36;1', '33;1', '32;1', '35;1', '34;1'];

/** How lines of containers are printed. */
export interface LogPrinterOptions {
  readonly terminal: Terminal;
  readonly colour: boolean;
  readonly prefix: boolean;
  readonly projectName: string;
  /** Makes the write where what is shown meanwhile is not disturbed; at once when absent. */
  readonly above?: <T>(write: () => T) => T;
}

/** Prints the lines of several containers, each with its name in a colour of its own, aligned. */
export class LogPrinter {
  readonly #options: LogPrinterOptions;
  readonly #colours = new Map<string, string>();
  #width = 0;

  constructor(options: LogPrinterOptions) {
    this.#options = options;
  }

  /** A container's name without the project's. */
  label(name: string): string {
    const { projectName } = this.#options;
    return name.startsWith(`${projectName}-`) ? name.slice(projectName.length + 1) : name;
  }

  /** Makes room for names, so that lines are aligned from the first on. */
  expect(names: readonly string[]): void {
    for (const name of names) this.#width = Math.max(this.#width, this.label(name).length);
  }

  /** Prints one line; the promise, if there is one, says when the terminal is ready for the next. */
  line(name: string, text: string, stream: 'stdout' | 'stderr'): void | Promise<void> {
    const { terminal } = this.#options;
    const output = stream === 'stdout' ? terminal.stdout : terminal.stderr;
    if (this.#above(() => output.write(`${this.#prefix(name)}${text}\n`))) return;
    return new Promise((resolve) => output.once('drain', resolve));
  }

  /** Says something about a container. */
  note(name: string, text: string): void {
    const { terminal, colour } = this.#options;
    const line = `${this.label(name)} ${text}`;
    const shown = colour ? `\x1b[${this.#colourOf(name)}m${line}\x1b[0m\n` : `${line}\n`;
    this.#above(() => terminal.stdout.write(shown));
  }

  #above(write: () => boolean): boolean {
    return this.#options.above === undefined ? write() : this.#options.above(write);
  }

  /** A line of ours among those of the containers. */
  remark(text: string): string {
    const { prefix, colour } = this.#options;
    if (!prefix) return `${text}\n`;
    return colour ? `\x1b[92m        ⦿ \x1b[0m${text}\n` : `        ⦿ ${text}\n`;
  }

  #prefix(name: string): string {
    const { prefix, colour } = this.#options;
    if (!prefix) return '';
    const label = this.label(name);
    this.#width = Math.max(this.#width, label.length);
    const text = `${label.padEnd(this.#width)}  | `;
    if (!colour) return text;
    return `\x1b[${this.#colourOf(name)}m${text}\x1b[0m`;
  }

  #colourOf(name: string): string {
    const known = this.#colours.get(name);
    if (known !== undefined) return known;
    const code = colours[this.#colours.size % colours.length] ?? '36';
    this.#colours.set(name, code);
    return code;
  }
}

/** Whether output is coloured: on a terminal, unless told otherwise. */
export function wantsColour(terminal: Terminal, options: { ansi: string; noColor: boolean }): boolean {
  if (options.noColor || options.ansi === 'never') return false;
  if (options.ansi === 'always') return true;
  return terminal.stdout.isTTY === true && !terminal.env.NO_COLOR;
}
