import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Terminal } from '#testkit';
import { RunningCompose } from './running-compose.ts';

const berth = fileURLToPath(new URL('../../../bin/berth', import.meta.url));

function words(variable: string): string[] | undefined {
  return process.env[variable]?.split(' ').filter((word) => word !== '');
}

/** The command under test: `berth compose`, or what `BERTH_TEST_COMPOSE_COMMAND` says, such as `docker compose`. */
export const composeCommand: readonly string[] = words('BERTH_TEST_COMPOSE_COMMAND') ?? [berth, 'compose'];

/** True while the command under test is our own. */
export const isBerth = composeCommand[0] === berth;

/** The real docker compose, as `BERTH_TEST_DOCKER_COMPOSE` says it or as a plugin that is installed; undefined without one. */
export const dockerCompose: readonly string[] | undefined = words('BERTH_TEST_DOCKER_COMPOSE') ?? findPlugin();

function findPlugin(): string[] | undefined {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return ['docker', 'compose'];
  } catch {
    return undefined;
  }
}

/** What a compose command gave. */
export interface ComposeResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory with a Compose file, and commands run in it. Takes the project down on dispose. */
export class ProjectDirectory implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'berth-compose-test-'));
  readonly name: string;
  readonly #host: string;

  constructor(host: string, file: string) {
    this.#host = host;
    this.name = this.path.slice(this.path.lastIndexOf('/') + 1).toLowerCase();
    this.write('compose.yaml', file);
  }

  /** Writes a file of the project. */
  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  /** Makes a directory of the project. */
  makeDirectory(name: string): void {
    mkdirSync(join(this.path, name), { recursive: true });
  }

  /** Removes a file of the project. */
  remove(name: string): void {
    rmSync(join(this.path, name));
  }

  /** Begins the command under test, to be looked at while it runs. */
  follow(...words: string[]): RunningCompose {
    return RunningCompose.start([...composeCommand, '-p', this.name, ...words], {
      cwd: this.path,
      env: this.#environment(),
    });
  }

  /** Begins the command under test on a terminal of its own. */
  onTerminal(...words: string[]): Terminal {
    const [program = '', ...first] = [...composeCommand, '--project-directory', this.path, '-p', this.name, ...words];
    return new Terminal(program, first, { env: this.#environment(), columns: 120, rows: 40 });
  }

  /** Runs the command under test and kills it when it first prints `text`, in any case. */
  async killed(text: string, ...words: string[]): Promise<void> {
    const running = this.follow(...words);
    await running.see(new RegExp(text, 'i'));
    await running.end('SIGKILL');
  }

  /** Runs the command under test; resolves with the result whatever the exit code. */
  try(...words: string[]): Promise<ComposeResult> {
    return this.#run(composeCommand, ['-p', this.name, ...words]);
  }

  /** Runs the command under test; resolves with stdout, trimmed, and rejects when it fails. */
  async run(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(...words);
    if (code !== 0) throw new Error(`compose ${words.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** Starts `berth compose`, to be interrupted. */
  start(...words: string[]): ChildProcess {
    const env = { ...process.env, DOCKER_HOST: this.#host, GREETING: 'hello' };
    return spawn(berth, ['compose', '-p', this.name, ...words], { env, cwd: this.path, stdio: 'ignore' });
  }

  /** Runs the real docker compose. */
  async docker(...words: string[]): Promise<ComposeResult> {
    if (dockerCompose === undefined) throw new Error('there is no docker compose');
    return this.#run(dockerCompose, ['-p', this.name, ...words]);
  }

  /** Ids of the project's containers, sorted by name. */
  async ids(): Promise<Record<string, string>> {
    const text = await this.run('ps', '-a', '--no-trunc', '--format', '{{.Name}} {{.ID}}');
    const lines = text.split('\n').filter((line) => line !== '');
    return Object.fromEntries(lines.map((line) => line.replace(`${this.name}-`, '').split(' ')));
  }

  #run([program = '', ...first]: readonly string[], words: readonly string[]): Promise<ComposeResult> {
    const env = this.#environment();
    return new Promise((resolve) => {
      const child = execFile(program, [...first, ...words], { env, cwd: this.path }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      });
      child.stdin?.end();
    });
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...process.env, DOCKER_HOST: this.#host, GREETING: 'hello' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.try('down', '-v', '-t', '0', '--remove-orphans');
    rmSync(this.path, { recursive: true, force: true });
  }
}
