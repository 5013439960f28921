import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { digestOf } from '#base';
import { mediaTypes } from '#oci';
import { codeOf, TestRegistry } from '../fixture.test.ts';

describe('pull (distribution-spec, "Pull"):', () => {
  let registry: TestRegistry;
  let image: Awaited<ReturnType<TestRegistry['pushImage']>>;
  before(async () => {
    registry = await TestRegistry.start();
    image = await registry.pushImage('some/app', 'v1');
  });
  after(() => registry[Symbol.asyncDispose]());
  const absent = digestOf('absent');

  it('answers 200 at /v2/ and names the API version', async () => {
    for (const path of ['/v2/', '/v2']) {
      const answer = await registry.send('GET', path);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('docker-distribution-api-version'), 'registry/2.0');
    }
  });

  it('gives manifests by tag and by digest, with type, digest and length, to GET and HEAD', async () => {
    for (const target of ['v1', image.digest]) {
      const got = await registry.send('GET', `/v2/some/app/manifests/${target}`);
      assert.equal(got.status, 200);
      assert.equal(got.text, image.bytes);
      const head = await registry.send('HEAD', `/v2/some/app/manifests/${target}`);
      assert.equal(head.text, '');
      for (const { headers } of [got, head]) {
        assert.equal(headers.get('content-type'), mediaTypes.ociManifest);
        assert.equal(headers.get('docker-content-digest'), image.digest);
        assert.equal(headers.get('content-length'), String(image.size));
      }
    }
  });

  it('gives blobs to GET and HEAD', async () => {
    const path = `/v2/some/app/blobs/${image.layer.digest}`;
    const got = await registry.send('GET', path);
    assert.equal(got.text, 'layer ');
    const head = await registry.send('HEAD', path);
    assert.equal(head.status, 200);
    for (const { headers } of [got, head]) {
      assert.equal(headers.get('docker-content-digest'), image.layer.digest);
      assert.equal(headers.get('content-length'), '6');
    }
  });

  it('says MANIFEST_UNKNOWN, BLOB_UNKNOWN and NAME_UNKNOWN for what is not there', async () => {
    const cases = [
      [`/v2/some/app/manifests/nope`, 'MANIFEST_UNKNOWN'],
      [`/v2/some/app/manifests/${absent}`, 'MANIFEST_UNKNOWN'],
      [`/v2/no/where/manifests/v1`, 'MANIFEST_UNKNOWN'],
      [`/v2/some/app/blobs/${absent}`, 'BLOB_UNKNOWN'],
      [`/v2/no/where/tags/list`, 'NAME_UNKNOWN'],
    ] as const;
    for (const [path, code] of cases) {
      const answer = await registry.send('GET', path);
      assert.equal(answer.status, 404, path);
      assert.equal(codeOf(answer), code);
      assert.equal((await registry.send('HEAD', path)).status, 404);
    }
  });

  it('refuses names, tags and digests that the grammar does not allow', async () => {
    const cases = [
      ['/v2/UPPER/manifests/v1', 'NAME_INVALID'],
      ['/v2/a..b/tags/list', 'NAME_INVALID'],
      [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID'],
      ['/v2/some/app/manifests/.hidden', 'MANIFEST_INVALID'],
      [`/v2/some/app/manifests/${'t'.repeat(129)}`, 'MANIFEST_INVALID'],
      ['/v2/some/app/manifests/sha256:123', 'DIGEST_INVALID'],
      ['/v2/some/app/blobs/sha256:123', 'DIGEST_INVALID'],
      ['/v2/some/app/blobs/..%2f..%2fetc', 'DIGEST_INVALID'],
    ] as const;
    for (const [path, code] of cases) {
      const answer = await registry.send('GET', path);
      assert.equal(answer.status, 400, path);
      assert.equal(codeOf(answer), code, path);
    }
  });

  it('shows a blob only in repositories that hold it', async () => {
    assert.equal((await registry.send('GET', `/v2/other/app/blobs/${image.layer.digest}`)).status, 404);
    await registry.pushImage('third/app', 'v1', 'third');
    assert.equal((await registry.send('GET', `/v2/third/app/blobs/${image.layer.digest}`)).status, 404);
  });

  it('gives ranges of a blob, and 416 for those outside', async () => {
    const { digest } = await registry.pushBlob('some/app', '0123456789');
    const part = (range: string) => registry.send('GET', `/v2/some/app/blobs/${digest}`, { headers: { range } });
    const cases = [
      ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=7-100', 206, '789', 'bytes 7-9/10'],
      ['bytes=-3', 206, '789', 'bytes 7-9/10'],
      ['bytes=10-', 416, '', 'bytes */10'],
      ['bytes=0-1,4-5', 200, '0123456789', null],
      ['lines=1-2', 200, '0123456789', null],
      ['bytes=4-2', 200, '0123456789', null],
    ] as const;
    for (const [range, status, text, content] of cases) {
      const answer = await part(range);
      assert.deepEqual(
        [answer.status, answer.text, answer.headers.get('content-range')],
        [status, text, content],
        range,
      );
    }
  });

  it('answers 304 to a client that has the blob or manifest already', async () => {
    const paths = { [image.digest]: 'manifests/v1', [image.layer.digest]: `blobs/${image.layer.digest}` };
    for (const [digest, path] of Object.entries(paths)) {
      const answer = await registry.send('GET', `/v2/some/app/${path}`, {
        headers: { 'if-none-match': `"${digest}"` },
      });
      assert.equal(answer.status, 304);
    }
  });

  it('gives a large blob whole and unchanged', async () => {
    const large = Buffer.alloc(5_000_001, 'pattern that repeats ');
    const { digest } = await registry.pushBlob('some/app', large);
    const answer = await registry.send('GET', `/v2/some/app/blobs/${digest}`);
    assert.equal(digestOf(answer.bytes), digest);
    assert.equal((await registry.pushBlob('some/app', '')).size, 0);
    assert.equal((await registry.send('GET', `/v2/some/app/blobs/${digestOf('')}`)).bytes.length, 0);
  });

  it('sends only types that the Accept header admits, and the common image of an index to clients without indexes', async () => {
    const platform = { os: 'linux', architecture: 'amd64' };
    const entry = { mediaType: mediaTypes.ociManifest, digest: image.digest, size: image.size, platform };
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] };
    assert.equal((await registry.pushManifest('some/app', 'multi', index, mediaTypes.ociIndex)).status, 201);
    const get = (accept: string) => registry.send('GET', '/v2/some/app/manifests/multi', { headers: { accept } });
    const all = `${mediaTypes.ociIndex}, ${mediaTypes.ociManifest};q=0.5`;
    assert.equal((await get(all)).headers.get('content-type'), mediaTypes.ociIndex);
    assert.equal((await get('*/*')).headers.get('content-type'), mediaTypes.ociIndex);
    assert.equal((await get(mediaTypes.ociManifest)).text, image.bytes);
    const refused = await get(mediaTypes.dockerManifest);
    assert.equal(refused.status, 404);
    assert.match(refused.text, /Accept header does not admit/);
  });
});
