import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

const program = '/usr/bin/docker-registry';

/** Why tests with a {@link DistributionRegistry} are skipped on this machine; false where they run. */
export const skipWithoutDistribution: string | false = existsSync(program)
  ? false
  : `${program} (package docker-registry) is not installed`;

/** How the registry is protected. */
export interface DistributionOptions {
  /** Paths of PEM files; without them it speaks plain HTTP. With `clientcas` it wants clients' certificates of these. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientcas?: readonly string[] };
  /** Path of an htpasswd file (bcrypt). */
  readonly htpasswd?: string;
}

/** Debian's docker-registry on a free port of 127.0.0.1, with a directory of its own. Ends on dispose. */
export class DistributionRegistry implements AsyncDisposable {
  /** `127.0.0.1:PORT`, as image names have it. */
  readonly host: string;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(host: string, directory: string, child: ChildProcess) {
    this.host = host;
    this.#directory = directory;
    this.#process = child;
  }

  /** Starts one; resolves when it listens, rejects with what it printed when it ends instead. */
  static async start({ tls, htpasswd }: DistributionOptions = {}): Promise<DistributionRegistry> {
    const directory = mkdtempSync(join(tmpdir(), 'berth-distribution-'));
    const host = `127.0.0.1:${await freePort()}`;
    const settings = {
      version: '0.1',
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      http: { addr: host, ...(tls === undefined ? {} : { tls }) },
      ...(htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: htpasswd } } }),
    };
    const file = join(directory, 'config.yml');
    writeFileSync(file, JSON.stringify(settings));
    const child = spawn(program, ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    try {
      await new Promise<void>((resolve, reject) => {
        createInterface({ input: child.stderr }).on('line', (line) => {
          output += `${line}\n`;
          if (line.includes('listening on')) resolve();
        });
        child.once('error', reject);
        child.once('exit', (code, signal) => reject(new Error(`${program} ended (${code ?? signal}):\n${output}`)));
      });
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    return new DistributionRegistry(host, directory, child);
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
