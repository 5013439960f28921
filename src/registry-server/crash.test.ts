import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { digestOf } from '#base';
import { imageManifest } from './fixture.test.ts';

const program = fileURLToPath(new URL('./main.js', import.meta.url));

/** Runs the registry's program and waits until it listens. */
async function start(data: string, port: number): Promise<ChildProcess> {
  const args = [program, '--addr', `127.0.0.1:${port}`, '--data', data, '--config', join(data, 'config.json')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes('listens')) break;
  }
  child.stderr.resume();
  assert.equal(child.exitCode, null, 'the registry ended at its start');
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const layerOf = (salt: number) => Buffer.alloc(300_000, `layer ${salt % 7} `);
const describe = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
const manifestOf = (salt: number) => {
  const layer = layerOf(salt);
  const config = Buffer.from(`{"number":${salt}}`);
  const text = JSON.stringify(
    imageManifest(describe(config, 'application/vnd.oci.image.config.v1+json'), [
      describe(layer, 'application/vnd.oci.image.layer.v1.tar'),
    ]),
  );
  return { layer, config, text };
};

it('serves no torn image after being killed at any instant of pushes, pulls, deletes and collections', async () => {
  const data = await mkdtemp(join(tmpdir(), 'registry-server-'));
  // Collections that spare nothing for its youth: only what a push answered for may be relied on.
  await writeFile(join(data, 'config.json'), '{"garbage": {"grace": "0s", "interval": "0s", "untagged": true}}');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/v2/crash/app`;
  let child: ChildProcess | undefined;
  /** Tags whose push was answered, with what they have to be. */
  const promised = new Map<string, string>();
  try {
    for (let life = 0; life < 12; life += 1) {
      const current = await start(data, port);
      child = current;
      for (const [tag, text] of promised) {
        const manifest = await (await fetch(`${url}/manifests/${tag}`)).text();
        assert.equal(manifest, text, `tag ${tag}`);
        const { config, layers } = JSON.parse(manifest) as { config: { digest: string }; layers: { digest: string }[] };
        for (const { digest } of [config, ...layers]) {
          const blob = await fetch(`${url}/blobs/${digest}`);
          assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), digest);
        }
      }
      const killed = once(current, 'exit');
      const work = async (worker: number) => {
        for (let number = 0; current.exitCode === null && current.signalCode === null; number += 1) {
          const salt = life * 1000 + worker * 100 + number;
          const { layer, config, text } = manifestOf(salt);
          for (const bytes of [layer, config]) {
            const target = `${url}/blobs/uploads/?digest=${digestOf(bytes)}`;
            await (await fetch(target, { method: 'POST', body: bytes })).arrayBuffer();
          }
          const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
          const put = await fetch(`${url}/manifests/t${salt}`, { method: 'PUT', body: text, headers });
          if (put.status === 201) promised.set(`t${salt}`, text);
          await (await fetch(`${url}/blobs/${digestOf(layer)}`)).arrayBuffer();
          current.kill('SIGUSR1');
          const [old] = promised.keys();
          if (old === undefined || promised.size < 20) continue;
          promised.delete(old);
          await fetch(`${url}/manifests/${old}`, { method: 'DELETE' });
        }
      };
      // Connections break when the registry is killed.
      const workers = [0, 1, 2].map((worker) => work(worker).catch(() => undefined));
      setTimeout(() => current.kill('SIGKILL'), randomInt(5, 250));
      await killed;
      await Promise.all(workers);
    }
    child = await start(data, port);
    assert.ok(promised.size > 0);
    const leftovers = await readdir(join(data, 'content/ingest'));
    assert.deepEqual(leftovers, []);
  } finally {
    child?.kill('SIGKILL');
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  }
});
