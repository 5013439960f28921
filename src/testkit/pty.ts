import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, read, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import koffi from 'koffi';

const writeSome = promisify(write);
const library = koffi.load('libc.so.6');
const setInt = library.func('int ioctl(int fd, ulong request, _Inout_ int *value)');
const setSize = library.func('int ioctl(int fd, ulong request, uint16_t *size)');

// <asm-generic/ioctls.h>
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const TIOCSWINSZ = 0x5414;

/** A program on a terminal of its own, as a person has it: typed into, looked at, resized. */
export class Terminal implements Disposable {
  /** All that appeared so far. */
  screen = '';
  /** Resolves with the exit code. */
  readonly exit: Promise<number>;
  readonly #master: number;
  readonly #child: ChildProcess;
  readonly #onBytes: ((bytes: Buffer) => void) | undefined;
  #open = true;
  #watchers: (() => void)[] = [];

  constructor(
    command: string,
    args: readonly string[],
    options: {
      env?: NodeJS.ProcessEnv;
      rows?: number;
      columns?: number;
      /** Gets all that appears, in place of the screen; the buffer is used again. */
      onBytes?: (bytes: Buffer) => void;
    } = {},
  ) {
    this.#onBytes = options.onBytes;
    this.#master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
    const number = [0];
    setInt(this.#master, TIOCSPTLCK, [0]);
    setInt(this.#master, TIOCGPTN, number);
    this.resize(options.rows ?? 24, options.columns ?? 80);
    const slave = openSync(`/dev/pts/${number[0]}`, constants.O_RDWR | constants.O_NOCTTY);
    // setsid gives the program the terminal as its controlling one, so ^C and SIGWINCH reach it.
    this.#child = spawn('setsid', ['--ctty', '--wait', command, ...args], {
      stdio: [slave, slave, slave],
      env: { ...process.env, TERM: 'xterm', ...options.env },
    });
    closeSync(slave);
    this.exit = new Promise((resolve) => this.#child.once('close', (code) => resolve(code ?? 255)));
    this.#pump();
  }

  /** Types. */
  type(text: string): void {
    writeSync(this.#master, text);
  }

  /** Types any bytes, as fast as they are taken. */
  async send(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await writeSome(this.#master, bytes, at)).bytesWritten;
  }

  /** Changes the window; the program gets SIGWINCH. */
  resize(rows: number, columns: number): void {
    setSize(this.#master, TIOCSWINSZ, [rows, columns, 0, 0]);
  }

  /** Resolves when `pattern` is on the screen; rejects, showing the screen, after `ms`. */
  see(pattern: RegExp, ms = 15_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${pattern} did not appear:\n${this.screen}`)), ms);
      const look = () => {
        if (!pattern.test(this.screen)) return void this.#watchers.push(look);
        clearTimeout(timer);
        resolve();
      };
      look();
    });
  }

  [Symbol.dispose](): void {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    this.#close();
  }

  #pump(): void {
    const buffer = Buffer.alloc(65536);
    read(this.#master, buffer, 0, buffer.length, null, (error, count) => {
      // EIO is the end: the last program on the other side has gone.
      if (error || count === 0) return this.#close();
      if (this.#onBytes) this.#onBytes(buffer.subarray(0, count));
      else this.screen += buffer.toString('utf8', 0, count);
      for (const look of this.#watchers.splice(0)) look();
      this.#pump();
    });
  }

  #close(): void {
    if (this.#open) closeSync(this.#master);
    this.#open = false;
  }
}
