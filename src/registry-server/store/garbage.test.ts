import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { digestOf, hexOf } from '#base';
import { TestRegistry } from '../fixture.test.ts';

const now = { garbage: { interval: '0s', grace: '0s', untagged: true, uploadLifetime: '0s' } };
const tick = () => new Promise((resolve) => setTimeout(resolve, 2));

it('removes what no manifest needs, bytes and all, and nothing else', async () => {
  await using registry = await TestRegistry.start(now);
  const kept = await registry.pushImage('some/app', 'kept', 'kept');
  const gone = await registry.pushImage('some/app', 'gone', 'gone');
  const loose = await registry.pushBlob('some/app', 'loose');
  const upload = await registry.send('POST', '/v2/some/app/blobs/uploads/');
  await registry.send('DELETE', '/v2/some/app/manifests/gone');
  await tick();
  const collected = await registry.server.collectGarbage();
  assert.deepEqual([collected.manifests, collected.blobs, collected.uploads], [1, 3, 1]);
  const file = (digest: `sha256:${string}`) => join(registry.data, 'content/blobs/sha256', hexOf(digest));
  for (const { digest } of [gone.config, gone.layer, loose]) assert.equal(existsSync(file(digest)), false);
  assert.equal((await registry.send('GET', '/v2/some/app/manifests/kept')).text, kept.bytes);
  assert.equal((await registry.send('GET', `/v2/some/app/blobs/${kept.layer.digest}`)).text, 'layer kept');
  assert.equal((await registry.send('GET', upload.headers.get('location') ?? '')).status, 404);
  assert.equal((await registry.server.collectGarbage()).blobs, 0);
});

it('keeps an index, its images and what refers to them while the index has a tag', async () => {
  await using registry = await TestRegistry.start(now);
  const image = await registry.pushImage('some/app', 'image', 'i');
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: image.digest, size: image.size };
  const index = { schemaVersion: 2, manifests: [entry] };
  await registry.pushManifest('some/app', 'index', index, 'application/vnd.oci.image.index.v1+json');
  const signature = await registry.pushImage('some/app', 'sig', 'sig', { subject: entry });
  for (const tag of ['image', 'sig']) await registry.send('DELETE', `/v2/some/app/manifests/${tag}`);
  await tick();
  assert.equal((await registry.server.collectGarbage()).manifests, 0);
  assert.equal((await registry.send('GET', `/v2/some/app/manifests/${signature.digest}`)).status, 200);
  await registry.send('DELETE', '/v2/some/app/manifests/index');
  await tick();
  assert.equal((await registry.server.collectGarbage()).manifests, 3);
  assert.match((await registry.send('GET', '/v2/_catalog')).text, /"repositories":\[\]/);
});

it('leaves young blobs to the push that they belong to', async () => {
  await using registry = await TestRegistry.start({ garbage: { interval: '0s', grace: '1h' } });
  const { digest } = await registry.pushBlob('some/app', 'just pushed');
  assert.equal((await registry.server.collectGarbage()).blobs, 0);
  assert.equal((await registry.send('HEAD', `/v2/some/app/blobs/${digest}`)).status, 200);
});

it('loses no image that is pushed while garbage is collected again and again', async () => {
  await using registry = await TestRegistry.start({ garbage: { ...now.garbage, grace: '100ms' } });
  let pushing = true;
  const collecting = (async () => {
    while (pushing) await registry.server.collectGarbage();
  })();
  const pushed: string[] = [];
  for (let number = 0; number < 24; number += 1) {
    const salt = String(number % 4);
    // With so little grace blobs may go before their manifest comes: then the push says so and is repeated.
    for (let tries = 0; ; tries += 1) {
      const image = await registry.pushImage('some/app', `t${number}`, salt).catch((error: Error) => error);
      if (!(image instanceof Error)) break;
      assert.match(image.message, /MANIFEST_BLOB_UNKNOWN/);
      assert.ok(tries < 1000);
    }
    pushed.push(`t${number}`);
    if (number % 3 === 0) await registry.send('DELETE', `/v2/some/app/manifests/t${number}`);
  }
  pushing = false;
  await collecting;
  await registry.server.collectGarbage();
  for (const [number, tag] of pushed.entries()) {
    if (number % 3 === 0) continue;
    const answer = await registry.send('GET', `/v2/some/app/manifests/${tag}`);
    const { layers } = JSON.parse(answer.text) as { layers: { digest: string }[] };
    const layer = await registry.send('GET', `/v2/some/app/blobs/${layers[0]?.digest}`);
    assert.equal(digestOf(layer.bytes), layers[0]?.digest);
  }
});

it('takes a push again whose stored bytes were lost or cut', async () => {
  await using registry = await TestRegistry.start();
  const { digest } = await registry.pushBlob('some/app', 'will be cut');
  await writeFile(join(registry.data, 'content/blobs/sha256', hexOf(digest)), 'will');
  assert.equal((await registry.send('HEAD', `/v2/some/app/blobs/${digest}`)).status, 404);
  await registry.pushBlob('some/app', 'will be cut');
  assert.equal((await registry.send('GET', `/v2/some/app/blobs/${digest}`)).text, 'will be cut');
});
