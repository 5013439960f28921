import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Docker } from '#testkit';
import { RunningCompose } from '../compose/running-compose.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A copy of one of `examples/`, and `berth compose` run in it. Takes it down on dispose. */
export class ComposeExample implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'berth-example-'));
  readonly #name: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #berth: Docker;

  constructor(host: string, name: string, variables: Readonly<Record<string, string>>) {
    this.#name = name;
    cpSync(join(root, 'examples', name), this.#directory, { recursive: true });
    this.#env = { ...process.env, ...variables, DOCKER_HOST: host };
    this.#berth = new Docker(host, join(root, 'bin/berth'), this.#env);
  }

  /** Resolves with stdout, trimmed; rejects with what was printed when the command fails. */
  run(...words: string[]): Promise<string> {
    return this.#berth.run(...this.#words(words));
  }

  /** Begins a command, to be looked at while it runs. */
  follow(...words: string[]): RunningCompose {
    return RunningCompose.start([join(root, 'bin/berth'), ...this.#words(words)], {
      cwd: this.#directory,
      env: this.#env,
    });
  }

  read(name: string): string {
    return readFileSync(join(this.#directory, name), 'utf8');
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.#directory, name), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#berth.try(this.#words(['down', '-v', '-t', '1', '--remove-orphans']));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #words(words: readonly string[]): string[] {
    // Files named on the command line are looked for in the current directory; here that is the example's.
    const placed = words.map((word, index) => (words[index - 1] === '-f' ? join(this.#directory, word) : word));
    return ['compose', '--project-directory', this.#directory, '-p', this.#name, ...placed];
  }
}
