import type { Terminal } from '../command/index.ts';

const colours = ['36', '33', '32', '35', '34', '36;1', '33;1', '32;1', '35;1', '34;1'];

type Output = Terminal['stdout'] | Terminal['stderr'];

/** Characters that may wait to be written. */
const mostWaiting = 65_536;

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
  /** Lines for a terminal where something is drawn below them: written together, or it would be drawn for each. */
  #waiting: { readonly output: Output; text: string }[] = [];
  #length = 0;

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
    return this.#print(output, `${this.#prefix(name)}${text}\n`);
  }

  /** Prints something that is not a container's line. */
  print(text: string): void {
    void this.#print(this.#options.terminal.stdout, text);
  }

  /** Writes what is still waiting to be; returns a stream that has to drain first. */
  flush(): Output | undefined {
    const texts = this.#waiting;
    this.#waiting = [];
    this.#length = 0;
    if (texts.length === 0) return undefined;
    const { above = (write) => write() } = this.#options;
    return above(() => texts.filter(({ output, text }) => !output.write(text)).at(-1)?.output);
  }

  #print(output: Output, text: string): void | Promise<void> {
    if (this.#waiting.length === 0 && this.#options.above !== undefined) setImmediate(() => this.flush());
    const last = this.#waiting.at(-1);
    if (last?.output === output) last.text += text;
    else this.#waiting.push({ output, text });
    this.#length += text.length;
    if (this.#options.above !== undefined && this.#length < mostWaiting) return;
    const full = this.flush();
    if (full !== undefined) return new Promise((resolve) => full.once('drain', resolve));
  }

  /** Says something about a container. */
  note(name: string, text: string): void {
    const { colour } = this.#options;
    const line = `${this.label(name)} ${text}`;
    const shown = colour ? `\x1b[${this.#colourOf(name)}m${line}\x1b[0m\n` : `${line}\n`;
    this.print(shown);
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
