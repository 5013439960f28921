import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { S3mini } from 's3mini';
import { freePort } from '#testkit';

const kinds = ['account', 'container', 'object'] as const;

/** True where OpenStack Swift is installed, whose s3api middleware is the S3 service of these tests. */
export function hasSwift(): boolean {
  return [...kinds, 'proxy'].every((kind) => existsSync(`/usr/bin/swift-${kind}-server`));
}

/** An S3 service: Swift on one disk directory, with ports of its own. Dispose of it. */
export class TestSwift implements AsyncDisposable {
  readonly #root: string;
  readonly #servers: ReturnType<typeof spawn>[] = [];
  #port = 0;
  #buckets = 0;

  private constructor() {
    this.#root = mkdtempSync('/tmp/registry-swift-');
    mkdirSync(join(this.#root, 'disk/d1'), { recursive: true });
  }

  /** Starts one and waits until its servers take connections. */
  static async start(): Promise<TestSwift> {
    const swift = new TestSwift();
    try {
      await swift.#start();
    } catch (error) {
      await swift[Symbol.asyncDispose]();
      throw error;
    }
    return swift;
  }

  /** Makes an empty bucket; the settings are those of `storage.s3`. */
  async bucket() {
    this.#buckets += 1;
    const endpoint = `http://127.0.0.1:${this.#port}`;
    const settings = { endpoint, bucket: `blobs${this.#buckets}`, region: 'us-east-1', prefix: 'registry/' };
    const keys = { accessKey: 'berth:registry', secretKey: 'secretsecret' };
    const client = new S3mini({
      endpoint: `${endpoint}/${settings.bucket}`,
      region: settings.region,
      accessKeyId: keys.accessKey,
      secretAccessKey: keys.secretKey,
    });
    await client.createBucket();
    return { ...settings, ...keys };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const root = this.#root;
    const hash = '[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n';
    writeFileSync(join(root, 'swift.conf'), `${hash}[storage-policy:0]\nname = one\ndefault = yes\n`);
    const ports: number[] = [];
    for (const kind of kinds) {
      const port = await freePort();
      ports.push(port);
      const ring = (...args: string[]) =>
        execFileSync('swift-ring-builder', [`${kind}.builder`, ...args], { cwd: root, stdio: 'ignore' });
      ring('create', '4', '1', '0');
      ring('add', `r1z1-127.0.0.1:${port}/d1`, '1');
      ring('rebalance');
      this.#serve(kind, storageConfig(root, kind, port));
    }
    this.#port = await freePort();
    this.#serve('proxy', proxyConfig(root, this.#port));
    await Promise.all([...ports, this.#port].map(answers));
  }

  #serve(kind: string, config: string): void {
    const path = join(this.#root, `${kind}.conf`);
    writeFileSync(path, config);
    const log = openSync(join(this.#root, `${kind}.log`), 'w');
    this.#servers.push(spawn(`swift-${kind}-server`, [path, '-v'], { stdio: ['ignore', log, log] }));
    closeSync(log);
  }
}

function common(root: string, port: number): string {
  return `[DEFAULT]
bind_ip=127.0.0.1
bind_port=${port}
workers=0
user=root
swift_dir=${root}
log_level=WARNING
`;
}

function storageConfig(root: string, kind: string, port: number): string {
  return `${common(root, port)}devices=${root}/disk
mount_check=false
fallocate_reserve=0
disable_fallocate=true
[pipeline:main]
pipeline=${kind}-server
[app:${kind}-server]
use=egg:swift#${kind}
recon_cache_path=${root}
[${kind}-replicator]
`;
}

/** Nothing listens where the cache should be: it is only asked for, and every answer is fresh. */
function proxyConfig(root: string, port: number): string {
  const filters = ['catch_errors', 'memcache', 's3api', 'tempauth', 'copy', 'slo', 'dlo'];
  const settings: Record<string, string> = {
    memcache: 'memcache_servers=127.0.0.1:1\n',
    s3api: 'location=us-east-1\n',
    tempauth: 'user_berth_registry=secretsecret .admin\n',
  };
  const sections = filters.map((name) => `[filter:${name}]\nuse=egg:swift#${name}\n${settings[name] ?? ''}`);
  return `${common(root, port)}[pipeline:main]
pipeline=${filters.join(' ')} proxy-server
[app:proxy-server]
use=egg:swift#proxy
account_autocreate=true
${sections.join('')}`;
}

/** Resolves when something takes connections; the servers tell nobody when they do. */
async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    const ok = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (ok) return;
    await pause(100);
  }
  throw new Error(`nothing listens on port ${port}`);
}
