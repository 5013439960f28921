import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url));

/** `berth registry serve` on a free port of 127.0.0.1, with a directory of its own. Ends on dispose. */
export class ServedRegistry implements AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:PORT`, as image names have it. */
  readonly host: string;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.host = `127.0.0.1:${port}`;
    this.#directory = directory;
    this.#process = child;
  }

  /** Starts one with these settings (of its config file); resolves when it listens, rejects with what it printed. */
  static async start(settings: Readonly<Record<string, unknown>> = {}): Promise<ServedRegistry> {
    const directory = mkdtempSync(join(tmpdir(), 'berth-served-'));
    const config = join(directory, 'config.json');
    writeFileSync(config, JSON.stringify(settings));
    const flags = ['--addr=127.0.0.1:0', `--data=${join(directory, 'data')}`, `--config=${config}`];
    const child = spawn(berth, ['registry', 'serve', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    try {
      const port = await new Promise<string>((resolve, reject) => {
        createInterface({ input: child.stderr }).on('line', (line) => {
          output += `${line}\n`;
          const found = /listens on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
          if (found !== undefined) resolve(found);
        });
        child.once('error', reject);
        child.once('exit', (code) => reject(new Error(`berth registry serve ended with ${code}:\n${output}`)));
      });
      return new ServedRegistry(Number(port), directory, child);
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill();
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
