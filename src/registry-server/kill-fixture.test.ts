import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { digestOf } from '#base';
import { imageManifest } from './fixture.test.ts';

const program = fileURLToPath(new URL('./main.js', import.meta.url));

/** The registry's program as a process of its own, on a port that the kernel chose. */
class RegistryProcess {
  readonly #child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<unknown>;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    this.ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
  }

  /** Starts it with `config.json` in `data` and waits until it listens. */
  static async start(data: string): Promise<RegistryProcess> {
    const args = [program, '--addr', '127.0.0.1:0', '--data', data, '--config', join(data, 'config.json')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const [, address] = /listens on ([\d.]+:\d+)/.exec(line) ?? [];
      if (address === undefined) continue;
      child.stderr.resume();
      return new RegistryProcess(child, `http://${address}/v2/crash/app`);
    }
    throw new Error(`the registry ended at its start: ${said.join('\n')}`);
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  collectGarbage(): void {
    this.#child.kill('SIGUSR1');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** One image of a layer and a config. */
interface Image {
  readonly tag: string;
  readonly layer: Buffer;
  readonly config: Buffer;
  readonly text: string;
}

const describe = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });

function imageOf(salt: number, layer: Buffer): Image {
  const config = Buffer.from(`{"number":${salt}}`);
  const layers = [describe(layer, 'application/vnd.oci.image.layer.v1.tar')];
  const manifest = imageManifest(describe(config, 'application/vnd.oci.image.config.v1+json'), layers);
  return { tag: `t${salt}`, layer, config, text: JSON.stringify(manifest) };
}

/** Sends a request and reads the answer to its end. */
async function send(method: string, url: string, sent: { body?: Buffer | string; type?: string } = {}) {
  const { body, type = 'application/octet-stream' } = sent;
  const request = { method, headers: { 'content-type': type }, ...(body === undefined ? {} : { body }) };
  const response = await fetch(url, request);
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** Pushes a blob: in one request, or from `chunk` bytes on in chunks of that size. False where the registry refused it. */
async function pushBlob(url: string, blob: Buffer, chunk: number): Promise<boolean> {
  const digest = digestOf(blob);
  if (blob.length <= chunk) {
    return (await send('POST', `${url}/blobs/uploads/?digest=${digest}`, { body: blob })).status === 201;
  }
  const begun = await send('POST', `${url}/blobs/uploads/`);
  const upload = new URL(begun.headers.get('location') ?? '', url).href;
  let at = 0;
  for (; at + chunk < blob.length; at += chunk) {
    const taken = await send('PATCH', upload, { body: blob.subarray(at, at + chunk) });
    if (taken.status !== 202) return false;
  }
  return (await send('PUT', `${upload}?digest=${digest}`, { body: blob.subarray(at) })).status === 201;
}

/** Pushes an image; false where a garbage collection came between, as it may without a grace period. */
async function push(url: string, image: Image, chunk: number): Promise<boolean> {
  for (const blob of [image.layer, image.config]) if (!(await pushBlob(url, blob, chunk))) return false;
  const type = 'application/vnd.oci.image.manifest.v1+json';
  return (await send('PUT', `${url}/manifests/${image.tag}`, { body: image.text, type })).status === 201;
}

/** Fails unless the tag has this manifest and everything that it names is whole. */
async function verify(url: string, tag: string, text: string): Promise<void> {
  const manifest = (await send('GET', `${url}/manifests/${tag}`)).bytes.toString();
  assert.equal(manifest, text, `tag ${tag}`);
  const { config, layers } = JSON.parse(manifest) as { config: { digest: string }; layers: { digest: string }[] };
  for (const { digest } of [config, ...layers]) {
    assert.equal(digestOf((await send('GET', `${url}/blobs/${digest}`)).bytes), digest);
  }
}

/** How {@link surviveKills} goes. */
export interface KillOptions {
  /** Has the process's config written into it. */
  readonly data: string;
  /** Settings of the config file. Collections spare nothing for its youth: only what a push answered for is relied on. */
  readonly settings: Record<string, unknown>;
  readonly kills: number;
  /** Layers by a number that differs for each push; a few different ones make pushes of the same layer meet. */
  readonly layerOf: (salt: number) => Buffer;
  /** Bytes from which a blob is sent in chunks. */
  readonly chunk: number;
  /** Longest time from the first answered push of a life to its end, ms. */
  readonly longest: number;
}

/**
 * Kills a registry again and again at random instants of pushes, pulls, deletes and collections. Whatever a push was
 * answered for has to be there and whole in the next life, and an image whose push was cut off is pushed again.
 */
export async function surviveKills(options: KillOptions): Promise<void> {
  const { data, settings, kills } = options;
  const garbage = { grace: '0s', interval: '0s', untagged: true };
  await writeFile(join(data, 'config.json'), JSON.stringify({ garbage, ...settings }));
  const run: Run = { ...options, promised: new Map(), cut: new Map(), next: 0 };
  for (let life = 0; life < kills; life += 1) await live(run);
  const last = await RegistryProcess.start(data);
  try {
    for (const [tag, text] of run.promised) await verify(last.url, tag, text);
    assert.ok(run.promised.size > 0);
    for (const image of run.cut.values()) assert.ok(await push(last.url, image, run.chunk), `${image.tag} is refused`);
  } finally {
    await last.kill();
  }
}

interface Run extends KillOptions {
  /** Tags whose push was answered, with what they have to be. */
  readonly promised: Map<string, string>;
  /** Images whose push was cut off by a kill, by tag. */
  readonly cut: Map<string, Image>;
  next: number;
}

async function live(run: Run): Promise<void> {
  const registry = await RegistryProcess.start(run.data);
  try {
    for (const [tag, text] of run.promised) await verify(registry.url, tag, text);
    let answered = () => {};
    const firstPush = new Promise<void>((resolve) => {
      answered = resolve;
    });
    // Connections break when the registry is killed.
    const workers = [0, 1, 2].map(() => work(run, registry, answered).catch(() => undefined));
    await Promise.race([firstPush, Promise.all(workers)]);
    setTimeout(() => void registry.kill(), randomInt(run.longest));
    await Promise.all(workers);
    await registry.ended;
  } finally {
    await registry.kill();
  }
}

/** Pushes, pulls, collects and deletes until the registry is gone. */
async function work(run: Run, registry: RegistryProcess, answered: () => void): Promise<void> {
  const { promised, cut, chunk } = run;
  const { url } = registry;
  while (registry.alive) {
    const [waiting] = cut.values();
    const image = waiting ?? imageOf(run.next, run.layerOf(run.next));
    if (waiting === undefined) run.next += 1;
    else cut.delete(waiting.tag);
    const done = await push(url, image, chunk).catch((error: unknown) => {
      cut.set(image.tag, image);
      throw error;
    });
    if (done) {
      promised.set(image.tag, image.text);
      answered();
    }
    await send('GET', `${url}/blobs/${digestOf(image.layer)}`);
    registry.collectGarbage();
    const [old] = promised.keys();
    if (old === undefined || promised.size < 20) continue;
    promised.delete(old);
    await send('DELETE', `${url}/manifests/${old}`);
  }
}
