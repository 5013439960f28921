import { type ChildProcess, spawn } from 'node:child_process';

/** A command that runs, and what it has printed. */
export class RunningCompose {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';
  #look: () => void = () => undefined;

  /** Starts a command; `program` is its words. */
  static start(
    [program = '', ...words]: readonly string[],
    options: { cwd: string; env: NodeJS.ProcessEnv },
  ): RunningCompose {
    return new RunningCompose(spawn(program, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
        this.#look();
      });
    }
    child.once('close', () => this.#look());
  }

  /** All that it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when `pattern` has been printed; rejects, showing all output, when the command ends without it. */
  see(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        if (pattern.test(this.#output)) resolve();
        else if (this.#child.exitCode !== null) reject(new Error(`${pattern} was not printed:\n${this.#output}`));
      };
      this.#look();
    });
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}
