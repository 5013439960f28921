import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { digestOf } from '#base';
import { mediaTypes } from '#oci';
import { codeOf, imageManifest, TestRegistry } from '../fixture.test.ts';

describe('push (distribution-spec, "Push"):', () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await TestRegistry.start();
  });
  after(() => registry[Symbol.asyncDispose]());

  const begin = async (repository = 'some/app') => {
    const answer = await registry.send('POST', `/v2/${repository}/blobs/uploads/`);
    assert.equal(answer.status, 202);
    return answer.headers.get('location') ?? '';
  };
  const octets = { 'content-type': 'application/octet-stream' };

  it('takes a blob by POST then PUT', async () => {
    const location = await begin();
    const digest = digestOf('monolithic');
    const answer = await registry.send('PUT', `${location}?digest=${digest}`, { body: 'monolithic', headers: octets });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('location'), `/v2/some/app/blobs/${digest}`);
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.equal((await registry.send('GET', `/v2/some/app/blobs/${digest}`)).text, 'monolithic');
    assert.equal((await registry.send('GET', location)).status, 404);
  });

  it('takes a blob by one POST', async () => {
    const { digest } = await registry.pushBlob('some/app', 'in one go');
    assert.equal((await registry.send('GET', `/v2/some/app/blobs/${digest}`)).text, 'in one go');
  });

  it('takes a blob in chunks, tells how far it is, and refuses chunks out of order', async () => {
    let location = await begin();
    const chunk = (range: string, body: string) =>
      registry.send('PATCH', location, { body, headers: { ...octets, 'content-range': range } });
    const first = await chunk('0-4', 'first');
    assert.equal(first.status, 202);
    assert.equal(first.headers.get('range'), '0-4');
    location = first.headers.get('location') ?? '';
    const wrong = await chunk('9-14', 'second');
    assert.equal(wrong.status, 416);
    assert.equal(wrong.headers.get('range'), '0-4');
    const status = await registry.send('GET', location);
    assert.equal(status.status, 204);
    assert.equal(status.headers.get('range'), '0-4');
    assert.equal(status.headers.get('location'), location);
    assert.equal((await chunk('5-10', 'second')).headers.get('range'), '0-10');
    const digest = digestOf('firstsecondlast');
    const end = await registry.send('PUT', `${location}?digest=${digest}`, {
      body: 'last',
      headers: { ...octets, 'content-range': '11-14' },
    });
    assert.equal(end.status, 201);
    assert.equal((await registry.send('GET', `/v2/some/app/blobs/${digest}`)).text, 'firstsecondlast');
  });

  it('takes a streamed body without length', async () => {
    const location = await begin();
    const stream = new ReadableStream({
      start(controller) {
        for (const part of ['a', 'b', 'c']) controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    const response = await fetch(`http://${registry.host}${location}`, {
      method: 'PATCH',
      body: stream,
      duplex: 'half',
    } as RequestInit);
    assert.equal(response.status, 202);
    assert.equal((await registry.send('PUT', `${location}?digest=${digestOf('abc')}`)).status, 201);
  });

  it('refuses chunks whose Content-Range does not agree with their length', async () => {
    const location = await begin();
    for (const range of ['0-9', '0-1', 'nonsense', '5-1']) {
      const answer = await registry.send('PATCH', location, {
        body: 'four',
        headers: { ...octets, 'content-range': range },
      });
      assert.equal(answer.status, 400, range);
    }
    assert.equal((await registry.send('GET', location)).headers.get('range'), '0-0');
  });

  it('refuses a blob whose digest is another, and keeps nothing of it', async () => {
    const location = await begin();
    const wrong = digestOf('something else');
    const answer = await registry.send('PUT', `${location}?digest=${wrong}`, { body: 'altered', headers: octets });
    assert.equal(answer.status, 400);
    assert.equal(codeOf(answer), 'DIGEST_INVALID');
    for (const digest of [wrong, digestOf('altered')]) {
      assert.equal((await registry.send('HEAD', `/v2/some/app/blobs/${digest}`)).status, 404);
    }
    assert.equal((await registry.send('GET', location)).status, 404);
    assert.equal((await registry.send('PUT', `${await begin()}?digest=sha256:12`)).status, 400);
    assert.equal((await registry.send('PUT', await begin())).status, 400);
  });

  it('ends an upload by DELETE, and knows none that it did not begin', async () => {
    const location = await begin();
    assert.equal((await registry.send('DELETE', location)).status, 204);
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      const answer = await registry.send(method, location);
      assert.equal(answer.status, 404);
      assert.equal(codeOf(answer), 'BLOB_UPLOAD_UNKNOWN');
    }
    const elsewhere = (await begin()).replace('some/app', 'other/app');
    assert.equal((await registry.send('GET', elsewhere)).status, 404);
  });

  it('mounts a blob of another repository, and begins an upload where it cannot', async () => {
    const { digest } = await registry.pushBlob('source/app', 'shared bytes');
    const mount = (from: string) => registry.send('POST', `/v2/target/app/blobs/uploads/?mount=${digest}${from}`);
    const failed = await mount('&from=no/where');
    assert.equal(failed.status, 202);
    assert.match(failed.headers.get('location') ?? '', /\/v2\/target\/app\/blobs\/uploads\//);
    assert.equal((await mount('')).status, 202);
    assert.equal((await registry.send('HEAD', `/v2/target/app/blobs/${digest}`)).status, 404);
    const mounted = await mount('&from=source/app');
    assert.equal(mounted.status, 201);
    assert.equal(mounted.headers.get('location'), `/v2/target/app/blobs/${digest}`);
    assert.equal((await registry.send('GET', `/v2/target/app/blobs/${digest}`)).text, 'shared bytes');
  });

  it('takes manifests by tag and by digest, and moves a tag', async () => {
    const first = await registry.pushImage('some/app', 'moving', 'one');
    const second = await registry.pushImage('some/app', 'moving', 'two');
    assert.equal((await registry.send('GET', '/v2/some/app/manifests/moving')).text, second.bytes);
    assert.equal((await registry.send('GET', `/v2/some/app/manifests/${first.digest}`)).text, first.bytes);
    const byDigest = await registry.pushManifest('some/app', first.digest, first.bytes);
    assert.equal(byDigest.status, 201);
    assert.equal(byDigest.headers.get('location'), `/v2/some/app/manifests/${first.digest}`);
    assert.equal(byDigest.headers.get('docker-content-digest'), first.digest);
    const wrong = await registry.pushManifest('some/app', digestOf('x'), first.bytes);
    assert.equal(codeOf(wrong), 'DIGEST_INVALID');
  });

  it('keeps the bytes of a manifest as they were sent, white space and unknown fields too', async () => {
    const { config, layer } = await registry.pushImage('some/app', 'plain', 'white');
    const bytes = `${JSON.stringify({ ...imageManifest(config, [layer]), other: { a: [1] } }, null, 3)}\n\n`;
    assert.equal((await registry.pushManifest('some/app', 'spaced', bytes)).status, 201);
    assert.equal((await registry.send('GET', '/v2/some/app/manifests/spaced')).text, bytes);
  });

  it('refuses manifests that name blobs or manifests which are not in the repository', async () => {
    const { config, layer } = await registry.pushImage('some/app', 'whole');
    const missing = { ...layer, digest: digestOf('missing') };
    const answer = await registry.pushManifest('some/app', 'torn', imageManifest(config, [layer, missing]));
    assert.equal(answer.status, 404);
    assert.equal(codeOf(answer), 'MANIFEST_BLOB_UNKNOWN');
    assert.match(answer.text, new RegExp(missing.digest));
    const index = { schemaVersion: 2, manifests: [{ ...missing, mediaType: mediaTypes.ociManifest }] };
    assert.equal(
      codeOf(await registry.pushManifest('some/app', 'i', index, mediaTypes.ociIndex)),
      'MANIFEST_BLOB_UNKNOWN',
    );
    // A blob is no manifest, even when it is there.
    const wrongKind = { schemaVersion: 2, manifests: [{ ...layer, mediaType: mediaTypes.ociManifest }] };
    assert.equal(
      codeOf(await registry.pushManifest('some/app', 'i', wrongKind, mediaTypes.ociIndex)),
      'MANIFEST_BLOB_UNKNOWN',
    );
    assert.equal((await registry.send('HEAD', '/v2/some/app/manifests/torn')).status, 404);
  });

  it('takes an index of a build cache, whose entries are layers, and layers that stay elsewhere', async () => {
    const { config, layer } = await registry.pushImage('some/app', 'cached', 'c');
    const cache = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [layer, config] };
    assert.equal((await registry.pushManifest('some/app', 'cache', cache, mediaTypes.ociIndex)).status, 201);
    const foreign = {
      mediaType: mediaTypes.dockerForeignLayerGzip,
      digest: digestOf('far'),
      size: 3,
      urls: ['https://x/'],
    };
    const manifest = { ...imageManifest(config, [layer, foreign]), mediaType: mediaTypes.dockerManifest };
    assert.equal((await registry.pushManifest('some/app', 'far', manifest, mediaTypes.dockerManifest)).status, 201);
  });

  it('takes an empty blob, and one whose last request brings nothing', async () => {
    const empty = digestOf('');
    const put = await registry.send('PUT', `${await begin()}?digest=${empty}`);
    assert.equal(put.status, 201, put.text);
    const got = await registry.send('GET', `/v2/some/app/blobs/${empty}`);
    assert.deepEqual([got.status, got.headers.get('content-length'), got.text], [200, '0', '']);
    assert.equal((await registry.send('HEAD', `/v2/some/app/blobs/${empty}`)).headers.get('content-length'), '0');
  });

  it('takes artifacts: an empty config, a type of their own, any layers', async () => {
    const config = {
      ...(await registry.pushBlob('some/artifact', '{}')),
      mediaType: 'application/vnd.oci.empty.v1+json',
    };
    const note = { ...(await registry.pushBlob('some/artifact', 'a note')), mediaType: 'text/plain' };
    for (const layers of [[config], [note, note], []]) {
      const artifact = imageManifest(config, layers, { artifactType: 'application/x.note', annotations: { a: '' } });
      const pushed = await registry.pushManifest('some/artifact', 'note', artifact);
      assert.equal(pushed.status, 201, pushed.text);
      assert.equal(pushed.headers.get('oci-subject'), null);
      const { bytes } = await registry.send('GET', '/v2/some/artifact/manifests/note');
      assert.deepEqual(JSON.parse(bytes.toString()), artifact);
    }
  });

  it("takes Docker's manifests and lists, and gives them back under their types", async () => {
    const { config, layer } = await registry.pushImage('some/docker', 'oci', 'docker');
    const image = { ...imageManifest(config, [layer]), mediaType: mediaTypes.dockerManifest };
    const bytes = JSON.stringify(image);
    const platform = { os: 'linux', architecture: 'amd64' };
    const entry = { mediaType: mediaTypes.dockerManifest, digest: digestOf(bytes), size: bytes.length, platform };
    const list = { schemaVersion: 2, mediaType: mediaTypes.dockerIndex, manifests: [entry] };
    assert.equal((await registry.pushManifest('some/docker', digestOf(bytes), bytes, image.mediaType)).status, 201);
    assert.equal((await registry.pushManifest('some/docker', 'list', list, list.mediaType)).status, 201);
    const accept = [mediaTypes.dockerIndex, mediaTypes.dockerManifest].join(', ');
    const got = await registry.send('GET', '/v2/some/docker/manifests/list', { headers: { accept } });
    assert.deepEqual([got.headers.get('content-type'), got.text], [list.mediaType, JSON.stringify(list)]);
    const child = await registry.send('HEAD', `/v2/some/docker/manifests/${entry.digest}`, { headers: { accept } });
    assert.equal(child.headers.get('content-type'), image.mediaType);
  });

  it('refuses digests of an algorithm that it does not have', async () => {
    const digest = `sha512:${'0'.repeat(128)}`;
    for (const path of [`blobs/uploads/?digest=${digest}`, `blobs/uploads/?mount=${digest}&from=some/app`]) {
      const answer = await registry.send('POST', `/v2/some/app/${path}`);
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'DIGEST_INVALID']);
    }
  });

  it('refuses what is no manifest', async () => {
    const { config, layer } = await registry.pushImage('some/app', 'good');
    const good = imageManifest(config, [layer]);
    const bad: [unknown, (string | undefined)?][] = [
      ['{', undefined],
      ['[]', undefined],
      ['null', undefined],
      [Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), undefined],
      [{ ...good, schemaVersion: 1 }],
      [{ ...good, layers: 'none' }],
      [{ ...good, layers: [{ ...layer, digest: '../../etc/passwd' }] }],
      [{ ...good, layers: [{ ...layer, size: -1 }] }],
      [{ ...good, annotations: { a: 1 } }],
      [{ ...good, manifests: [] }],
      [{ ...good, mediaType: mediaTypes.dockerManifest }],
      [good, 'text/html'],
      [good, 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
      [{ schemaVersion: 2, manifests: [], layers: [] }, mediaTypes.ociIndex],
    ];
    for (const [manifest, type] of bad) {
      const answer = await registry.pushManifest('some/app', 'bad', manifest, type);
      assert.equal(answer.status, 400, JSON.stringify(manifest));
      assert.equal(codeOf(answer), 'MANIFEST_INVALID');
    }
    assert.equal((await registry.send('HEAD', '/v2/some/app/manifests/bad')).status, 404);
  });

  it('refuses a manifest above 4 MiB, announced or not, without reading it all', async () => {
    const body = `{"schemaVersion":2,"pad":"${'x'.repeat(5 * 1024 * 1024)}"}`;
    const answer = await registry.pushManifest('some/app', 'huge', body);
    assert.equal(answer.status, 413);
    const { host, port } = { host: '127.0.0.1', port: registry.port };
    const put = request({ host, port, method: 'PUT', path: '/v2/some/app/manifests/endless' });
    put.setHeader('content-type', mediaTypes.ociManifest);
    const piece = Buffer.alloc(64 * 1024, 'x');
    const more = () => {
      while (!put.destroyed && put.write(piece));
    };
    put.on('drain', more);
    // The connection ends while the client still writes.
    put.on('error', () => undefined);
    more();
    const [response] = (await once(put, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 413);
    put.destroy();
  });

  it('answers 405 to methods that a page does not have, and 404 to pages that there are none', async () => {
    assert.equal((await registry.send('POST', '/v2/some/app/manifests/v1')).status, 405);
    assert.equal((await registry.send('PUT', '/v2/some/app/tags/list')).status, 405);
    assert.equal((await registry.send('GET', '/v2/some/app/blobs/uploads/')).status, 405);
    assert.equal((await registry.send('GET', '/v2/some/app/unknown')).status, 404);
    assert.equal((await registry.send('GET', '/elsewhere')).status, 404);
  });
});
