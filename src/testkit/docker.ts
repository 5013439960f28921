import { type ExecFileException, execFile } from 'node:child_process';
import { join } from 'node:path';
import { findDockerCli } from './docker-cli.ts';

/** What a CLI call gave. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the docker CLI against one engine; the tests' way of using an engine as a user does. */
export class Docker {
  readonly #host: string;
  readonly #program: string;

  readonly #env: NodeJS.ProcessEnv;

  constructor(host: string, program = join(findDockerCli().directory, 'docker'), env = process.env) {
    this.#env = env;
    this.#host = host;
    this.#program = program;
  }

  /** Resolves with the result whatever the exit code. */
  try(args: readonly string[], options: { input?: string; signal?: AbortSignal } = {}): Promise<CliResult> {
    return new Promise((resolve) => {
      const env = { ...this.#env, DOCKER_HOST: this.#host, DOCKER_BUILDKIT: '0' };
      const { signal } = options;
      const done = (error: ExecFileException | null, stdout: string, stderr: string) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      };
      const limits = { env, maxBuffer: 1 << 28, ...(signal ? { signal } : {}) };
      const child = execFile(this.#program, [...args], limits, done);
      child.stdin?.on('error', () => {}); // a program that ends early reads no input
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Resolves with stdout, trimmed; rejects with what the CLI printed when it fails. */
  async run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: exit ${code}: ${stderr || stdout}`);
    return stdout.trim();
  }
}
