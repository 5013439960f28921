import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { bcrypt } from 'hash-wasm';
import { digestOf, isBerthError } from '#base';
import { createRegistryClient } from '#registry-client';
import { TestRegistry } from './fixture.test.ts';

const run = promisify(execFile);

function missing(program: string): string | false {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return false;
  } catch {
    return `${program} is not installed`;
  }
}

describe('skopeo', { skip: missing('skopeo') }, () => {
  it('copies an image to the registry, inside it and back, digests equal, over TLS with a login', async () => {
    const work = await mkdtemp(join(tmpdir(), 'registry-server-'));
    try {
      await using plain = await TestRegistry.start();
      const image = await plain.pushImage('some/app', 'v1', 'skopeo');
      const [cert, key, htpasswd] = ['cert.pem', 'key.pem', 'htpasswd'].map((name) => join(work, name));
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
      await run('openssl', [...request, ...subject, '-keyout', key ?? '', '-out', cert ?? '']);
      const hash = await bcrypt({ password: 'ecila', salt: Buffer.alloc(16), costFactor: 4, outputType: 'encoded' });
      await writeFile(htpasswd ?? '', `alice:${hash}\n`);
      await using secure = await TestRegistry.start({ tls: { cert, key }, auth: { htpasswd, tokens: true } });
      const copy = (from: string, to: string, ...options: string[]) =>
        run('skopeo', [
          'copy',
          '--preserve-digests',
          '--src-tls-verify=false',
          '--dest-tls-verify=false',
          ...options,
          from,
          to,
        ]);
      const remote = `docker://${secure.host}/copied/app:v1`;
      await copy(`docker://${plain.host}/some/app:v1`, remote, '--dest-creds=alice:ecila');
      await copy(
        remote,
        `docker://${secure.host}/copied/again:v1`,
        '--src-creds=alice:ecila',
        '--dest-creds=alice:ecila',
      );
      await copy(`docker://${secure.host}/copied/again:v1`, `oci:${work}/layout:v1`, '--src-creds=alice:ecila');
      const index = JSON.parse(await readFile(join(work, 'layout/index.json'), 'utf8')) as {
        manifests: { digest: string }[];
      };
      assert.equal(index.manifests[0]?.digest, image.digest);
      await assert.rejects(
        copy(remote, `oci:${work}/refused:v1`, '--src-creds=alice:wrong'),
        /authentication required/,
      );
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
});

describe('the registry client of this package', () => {
  it('pushes, resolves, lists and pulls', async () => {
    await using registry = await TestRegistry.start();
    const client = createRegistryClient({ attempts: 1 });
    try {
      const repository = client.repository({ domain: registry.host, path: 'own/app' });
      const layer = Buffer.alloc(700_000, 'layer of our own ');
      const config = Buffer.from('{}');
      const describe = (bytes: Buffer) => ({ mediaType: 'application/x', digest: digestOf(bytes), size: bytes.length });
      for (const bytes of [layer, config]) {
        const outcome = await repository.pushBlob(describe(bytes), async (offset) =>
          Readable.from([bytes.subarray(offset)], { objectMode: false }),
        );
        assert.equal(outcome.kind, 'uploaded');
      }
      const again = await repository.pushBlob(describe(layer), async () => Readable.from([]));
      assert.equal(again.kind, 'exists');
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const manifest = { schemaVersion: 2, mediaType, config: describe(config), layers: [describe(layer)] };
      const digest = await repository.pushManifest('v1', mediaType, Buffer.from(JSON.stringify(manifest)));
      assert.equal((await repository.resolve('v1')).digest, digest);
      const tags: string[] = [];
      for await (const tag of repository.tags()) tags.push(tag);
      assert.deepEqual(tags, ['v1']);
      assert.deepEqual(await buffer(await repository.openBlob(describe(layer))), layer);
      await assert.rejects(repository.manifest('v2'), (error) => isBerthError(error, 'not-found'));
    } finally {
      client.close();
    }
  });
});
