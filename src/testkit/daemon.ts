import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../bin/berthd', import.meta.url));

/** A berthd of a test's own: own roots, own socket, own bridge and table. Ends, with all it made, on dispose. */
export class TestDaemon implements AsyncDisposable {
  /** Directory of the data root `data`, the socket, and room for the test's files. */
  readonly directory: string;
  /** The exec root, on a tmpfs as in real use. */
  readonly execRoot: string;
  readonly socket: string;
  /** Value for DOCKER_HOST. */
  readonly host: string;
  /** All that the daemon printed so far. */
  output = '';
  readonly #flags: readonly string[];
  readonly #launch: readonly string[];
  #process: ChildProcess | undefined;

  /** One that is not started; `launch` is a command in place of `berthd`, which must become the daemon. */
  constructor(flags: readonly string[] = [], launch: readonly string[] = [launcher]) {
    this.#launch = launch;
    this.directory = join(tmpdir(), `berth-test-${randomBytes(3).toString('hex')}`);
    this.execRoot = join('/run', basename(this.directory));
    this.socket = join(this.directory, 'berth.sock');
    this.host = `unix://${this.socket}`;
    this.#flags = flags;
  }

  /** Makes one and starts it; resolves when it answers. */
  static async start(flags?: readonly string[], launch?: readonly string[]): Promise<TestDaemon> {
    const daemon = new TestDaemon(flags, launch);
    try {
      await daemon.start();
      return daemon;
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts it (again); resolves at its line "API listen on ...". Rejects with what it printed when it ends instead. */
  async start(): Promise<void> {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const [program = launcher, ...words] = this.#launch;
    const roots = ['--data-root', this.#data, '--exec-root', this.execRoot, '-H', this.host];
    const child = spawn(program, [...words, ...roots, ...this.#flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.output += `${line}\n`;
        if (line.includes('API listen on')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`berthd ended (${code ?? signal}):\n${this.output}`)));
    });
  }

  /** Ends it as a service manager does; containers go on. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Removes all containers and the daemon, its mounts and its directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) await this.start().catch(() => undefined);
    await this.#removeContainers().catch(() => undefined);
    // A clean stop with nothing running also removes bridge, nft table, cgroup parent and namespace.
    await this.stop();
    for (const path of [this.directory, this.execRoot]) rmSync(path, { recursive: true, force: true });
  }

  async #removeContainers(): Promise<void> {
    const curl = (...args: string[]) =>
      execFileSync('curl', ['-sf', '--unix-socket', this.socket, ...args], { encoding: 'utf8' });
    const list = JSON.parse(curl('http://berth/containers/json?all=1')) as { Id: string }[];
    for (const { Id } of list) curl('-X', 'DELETE', `http://berth/containers/${Id}?force=1&v=1`);
    const networks = JSON.parse(curl('http://berth/networks')) as { Id: string; Name: string }[];
    for (const { Id, Name } of networks) {
      if (!['bridge', 'host', 'none'].includes(Name)) curl('-X', 'DELETE', `http://berth/networks/${Id}`);
    }
  }

  get #data(): string {
    return join(this.directory, 'data');
  }
}
