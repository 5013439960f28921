import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Docker, importBusybox, TestDaemon } from '#testkit';

const example = fileURLToPath(new URL('../../../examples/registry-library/serve.mjs', import.meta.url));

describe('a registry of ours elsewhere than in `berth registry serve`', () => {
  let directory: string;
  let daemon: TestDaemon;
  let docker: Docker;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-registry-places-'));
    const config = join(directory, 'registry.yml');
    writeFileSync(config, 'readOnly: false\nquotas: [{ prefix: small/, bytes: 1KiB }]\n');
    daemon = await TestDaemon.start(['--registry-addr', '127.0.0.1:0', '--registry-config', config]);
    docker = new Docker(daemon.host);
    importBusybox(daemon.socket);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const registryOf = () => [...daemon.output.matchAll(/registry listens on (127\.0\.0\.1:\d+)/g)].at(-1)?.[1] ?? '';
  async function pushAndPull(host: string): Promise<void> {
    const name = `${host}/team/app:1`;
    await docker.run('tag', 'busybox', name);
    const digest = /digest: (sha256:\S+)/.exec(await docker.run('push', name))?.[1];
    await docker.run('rmi', name);
    assert.match(await docker.run('pull', name), new RegExp(`Digest: ${digest}`));
    assert.equal(await docker.run('run', '--rm', name, 'echo', 'runs'), 'runs');
  }

  test('berthd --registry-addr serves one with the settings of its file, and what it holds outlives a kill', async () => {
    await pushAndPull(registryOf());
    const small = `${registryOf()}/small/app:1`;
    await docker.run('tag', 'busybox', small);
    assert.match((await docker.try(['push', small])).stderr, /quota/i);
    await daemon.kill();
    await daemon.start();
    await docker.run('pull', `${registryOf()}/team/app:1`);
  });

  test('the example of its use as a library serves, tells of requests and collects garbage', async () => {
    const data = join(directory, 'library');
    const child = spawn(process.execPath, [example, data, '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const closed = once(child.stdout, 'close');
    let output = '';
    const listening = new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        output += `${line}\n`;
        const host = /^registry at (\S+)$/.exec(line)?.[1];
        if (host !== undefined) resolve(host);
      });
      child.once('exit', (code) => reject(new Error(`the example ended with ${code}`)));
    });
    try {
      await pushAndPull(await listening);
    } finally {
      child.kill();
    }
    assert.deepEqual(await ended, [0, null]);
    await closed;
    assert.match(output, /^PUT \/v2\/team\/app\/manifests\/1 201$/m);
    assert.match(output, /^removed 0 blobs of 0 bytes$/m);
  });
});
