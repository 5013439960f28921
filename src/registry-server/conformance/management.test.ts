import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { digestOf } from '#base';
import { mediaTypes } from '#oci';
import { codeOf, imageManifest, TestRegistry } from '../fixture.test.ts';

describe('content management (distribution-spec, "Content Management"):', () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await TestRegistry.start();
  });
  after(() => registry[Symbol.asyncDispose]());

  it('deletes a tag and leaves its manifest and the other tags', async () => {
    const { digest } = await registry.pushImage('some/app', 'one');
    await registry.pushImage('some/app', 'two');
    assert.equal((await registry.send('DELETE', '/v2/some/app/manifests/one')).status, 202);
    assert.equal((await registry.send('HEAD', '/v2/some/app/manifests/one')).status, 404);
    assert.equal((await registry.send('HEAD', `/v2/some/app/manifests/${digest}`)).status, 200);
    assert.match((await registry.send('GET', '/v2/some/app/tags/list')).text, /"tags":\["two"\]/);
  });

  it('deletes a manifest with all tags that point at it', async () => {
    const { digest } = await registry.pushImage('other/app', 'one');
    await registry.pushImage('other/app', 'two');
    assert.equal((await registry.send('DELETE', `/v2/other/app/manifests/${digest}`)).status, 202);
    for (const target of ['one', 'two', digest]) {
      assert.equal((await registry.send('GET', `/v2/other/app/manifests/${target}`)).status, 404);
    }
    assert.match((await registry.send('GET', '/v2/other/app/tags/list')).text, /"tags":\[\]/);
  });

  it('deletes a blob from one repository and leaves it in the others', async () => {
    const { digest } = await registry.pushBlob('some/app', 'in two places');
    await registry.pushBlob('other/app', 'in two places');
    assert.equal((await registry.send('DELETE', `/v2/some/app/blobs/${digest}`)).status, 202);
    assert.equal((await registry.send('HEAD', `/v2/some/app/blobs/${digest}`)).status, 404);
    assert.equal((await registry.send('GET', `/v2/other/app/blobs/${digest}`)).text, 'in two places');
  });

  it('a deleted manifest refers to nothing any more, and one that is referred to can be deleted', async () => {
    const image = await registry.pushImage('signed/app', 'v1', 'signed');
    const subject = { mediaType: mediaTypes.ociManifest, digest: image.digest, size: image.size };
    const signature = JSON.stringify(
      imageManifest(image.config, [image.layer], { subject, artifactType: 'a/signature' }),
    );
    const digest = digestOf(signature);
    await registry.pushManifest('signed/app', digest, signature);
    const count = async () => {
      const answer = await registry.send('GET', `/v2/signed/app/referrers/${image.digest}`);
      assert.equal(answer.status, 200);
      return (JSON.parse(answer.text) as { manifests: unknown[] }).manifests.length;
    };
    assert.equal(await count(), 1);
    assert.equal((await registry.send('DELETE', `/v2/signed/app/manifests/${image.digest}`)).status, 202);
    assert.equal(await count(), 1);
    assert.equal((await registry.send('DELETE', `/v2/signed/app/manifests/${digest}`)).status, 202);
    assert.equal(await count(), 0);
    assert.equal((await registry.send('DELETE', `/v2/signed/app/manifests/${digest}`)).status, 404);
  });

  it('takes again what was deleted', async () => {
    const { digest, layer } = await registry.pushImage('again/app', 'v1', 'again');
    await registry.send('DELETE', `/v2/again/app/manifests/${digest}`);
    await registry.send('DELETE', `/v2/again/app/blobs/${layer.digest}`);
    assert.equal((await registry.pushImage('again/app', 'v1', 'again')).digest, digest);
    assert.equal((await registry.send('GET', `/v2/again/app/blobs/${layer.digest}`)).status, 200);
  });

  it('answers 404 for what is not there', async () => {
    const absent = digestOf('absent');
    const cases = [
      [`/v2/some/app/manifests/nope`, 'MANIFEST_UNKNOWN'],
      [`/v2/some/app/manifests/${absent}`, 'MANIFEST_UNKNOWN'],
      [`/v2/some/app/blobs/${absent}`, 'BLOB_UNKNOWN'],
      [`/v2/no/where/manifests/nope`, 'MANIFEST_UNKNOWN'],
    ] as const;
    for (const [path, code] of cases) {
      const answer = await registry.send('DELETE', path);
      assert.deepEqual([answer.status, codeOf(answer)], [404, code]);
    }
  });

  it('answers 405 where deleting is switched off, and to every write in read-only mode', async () => {
    await using frozen = await TestRegistry.start({ deletes: false });
    const image = await frozen.pushImage('some/app', 'v1');
    assert.equal((await frozen.send('DELETE', '/v2/some/app/manifests/v1')).status, 405);
    assert.equal((await frozen.send('DELETE', `/v2/some/app/blobs/${image.layer.digest}`)).status, 405);
    await frozen.close();
    await frozen.open({ readOnly: true });
    const writes = [
      ['POST', '/v2/some/app/blobs/uploads/'],
      ['PUT', '/v2/some/app/manifests/v2'],
      ['DELETE', '/v2/some/app/manifests/v1'],
    ] as const;
    for (const [method, path] of writes) {
      const answer = await frozen.send(method, path);
      assert.deepEqual([answer.status, codeOf(answer)], [405, 'UNSUPPORTED']);
      assert.match(answer.text, /read-only/);
    }
    assert.equal((await frozen.send('GET', '/v2/some/app/manifests/v1')).text, image.bytes);
  });
});
