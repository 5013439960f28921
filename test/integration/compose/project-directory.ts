import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const berth = fileURLToPath(new URL('../../../bin/berth', import.meta.url));

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

  /** Runs `berth compose`; resolves with the result whatever the exit code. */
  try(...words: string[]): Promise<ComposeResult> {
    return this.#run(berth, ['compose', '-p', this.name, ...words]);
  }

  /** Runs `berth compose`; resolves with stdout, trimmed, and rejects when it fails. */
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
    return this.#run('docker', ['compose', '-p', this.name, ...words]);
  }

  /** Ids of the project's containers, sorted by name. */
  async ids(): Promise<Record<string, string>> {
    const text = await this.run('ps', '-a', '--no-trunc', '--format', '{{.Name}} {{.ID}}');
    const lines = text.split('\n').filter((line) => line !== '');
    return Object.fromEntries(lines.map((line) => line.replace(`${this.name}-`, '').split(' ')));
  }

  #run(program: string, words: readonly string[]): Promise<ComposeResult> {
    const env = { ...process.env, DOCKER_HOST: this.#host, GREETING: 'hello' };
    return new Promise((resolve) => {
      const child = execFile(program, [...words], { env, cwd: this.path }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      });
      child.stdin?.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.try('down', '-v', '-t', '0', '--remove-orphans');
    rmSync(this.path, { recursive: true, force: true });
  }
}
