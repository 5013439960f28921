import { readFileSync } from 'node:fs';
import type { Terminal } from '../command/index.ts';

/** What the keys do. */
export interface MenuActions {
  /** Ctrl-C. */
  readonly interrupt: () => void;
  /** `d`: the user goes, the containers stay. */
  readonly detach: () => void;
  /** `w`: begins to watch files, or ends it. */
  readonly toggleWatch: () => void;
}

/** What a menu is made from. */
export interface MenuOptions {
  readonly terminal: Terminal;
  readonly colour: boolean;
  readonly actions: MenuActions;
  /** Keeps a line below all output; undefined takes it away. */
  readonly show: (line: string | undefined) => void;
}

/** How long, in ms, a notice stays in the menu's line. */
const noticeTime = 10_000;

/** False for a job in the background, which a change of the terminal's mode would stop (proc(5): pgrp and tpgid). */
function inForeground(): boolean {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return fields[2] === fields[5];
}

/** Whether there is somebody to press keys, and a screen that can be drawn on. */
export function canShowMenu({ stdin, stdout, stderr, env }: Terminal): boolean {
  const onTerminal = stdin.isTTY === true && stdout.isTTY === true && stderr.isTTY === true;
  return onTerminal && env.TERM !== 'dumb' && inForeground();
}

/** The line of keys below the output of an attached `up`, and the keys. */
export class UpMenu implements Disposable {
  readonly #options: MenuOptions;
  #watching = false;
  #notice = '';
  #timer: NodeJS.Timeout | undefined;
  #open = true;
  readonly #onBytes = (bytes: Buffer): void => {
    for (const key of bytes.toString('latin1')) this.#press(key);
  };
  readonly #onContinue = (): void => {
    if (!this.#open) return;
    this.#options.terminal.stdin.setRawMode?.(true);
    this.#draw();
  };

  constructor(options: MenuOptions) {
    this.#options = options;
    const { stdin } = options.terminal;
    stdin.setRawMode?.(true);
    stdin.on('data', this.#onBytes);
    stdin.resume();
    process.on('SIGCONT', this.#onContinue);
    this.#draw();
  }

  /** Shows whether files are watched. */
  set watching(on: boolean) {
    this.#watching = on;
    this.#draw();
  }

  /** Says something in the menu's line for a while. */
  notice(text: string): void {
    this.#notice = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#notice = '';
      this.#draw();
    }, noticeTime).unref();
    this.#draw();
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    const { stdin } = this.#options.terminal;
    clearTimeout(this.#timer);
    process.off('SIGCONT', this.#onContinue);
    stdin.off('data', this.#onBytes);
    stdin.pause();
    stdin.setRawMode?.(false);
    this.#options.show(undefined);
  }

  #press(key: string): void {
    const { actions, terminal, show } = this.#options;
    if (key === '\x03') actions.interrupt();
    else if (key === 'd') actions.detach();
    else if (key === 'w') actions.toggleWatch();
    else if (key === '\r') terminal.stdout.write('\n');
    else if (key === '\x1a') {
      show(undefined);
      terminal.stdin.setRawMode?.(false);
      process.kill(0, 'SIGTSTP');
    }
  }

  #draw(): void {
    if (!this.#open) return;
    const { colour, show } = this.#options;
    const key = (letter: string, text: string): string =>
      colour ? `\x1b[1;7m${letter}\x1b[0m\x1b[2m ${text}\x1b[0m` : `${letter} ${text}`;
    const keys = `${key('w', this.#watching ? 'Disable Watch' : 'Enable Watch')}   ${key('d', 'Detach')}`;
    show(this.#notice === '' ? keys : this.#notice);
  }
}
