import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '#testkit';

/** Where Debian keeps the server's programs, the newest version first; undefined where it is not installed. */
export function postgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((path) => existsSync(join(path, 'initdb')));
}

/** A PostgreSQL server with a directory and a port of its own. Dispose of it. */
export class TestPostgres implements AsyncDisposable {
  readonly #root: string;
  readonly #port: number;
  readonly #process: ReturnType<typeof spawn>;
  #databases = 0;

  private constructor(root: string, port: number, server: ReturnType<typeof spawn>) {
    this.#root = root;
    this.#port = port;
    this.#process = server;
  }

  /** Starts one and waits until it takes connections. */
  static async start(): Promise<TestPostgres> {
    const programs = postgresPrograms();
    if (programs === undefined) throw new Error('no PostgreSQL server is installed');
    const root = mkdtempSync('/tmp/registry-postgres-');
    const port = await freePort();
    // The server refuses to run as root.
    const user = { uid: id('-u'), gid: id('-g') };
    chownSync(root, user.uid, user.gid);
    const data = join(root, 'data');
    const initdb = ['-D', data, '-U', 'berth', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
    execFileSync(join(programs, 'initdb'), initdb, { ...user, cwd: root, stdio: 'ignore' });
    const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: root, fsync: 'off' };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(programs, 'postgres'), ['-D', data, ...flags], {
      ...user,
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await new Promise<void>((resolve, reject) => {
      let said = '';
      server.stderr.on('data', (chunk) => {
        said += chunk;
        if (said.includes('ready to accept connections')) resolve();
      });
      server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said}`)));
    });
    return new TestPostgres(root, port, server);
  }

  /** Makes an empty database and returns its address. */
  async database(): Promise<string> {
    const { default: pg } = await import('pg');
    const client = new pg.Client(this.#url('postgres'));
    await client.connect();
    this.#databases += 1;
    await client.query(`CREATE DATABASE test${this.#databases}`);
    await client.end();
    return this.#url(`test${this.#databases}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    // Fast shutdown: open sessions end.
    this.#process.kill('SIGINT');
    await ended;
    rmSync(this.#root, { recursive: true, force: true });
  }

  #url(database: string): string {
    return `postgres://berth@127.0.0.1:${this.#port}/${database}`;
  }
}

function id(flag: string): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
