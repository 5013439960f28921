import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf, isBerthError } from '#base';
import { createRegistryClient } from '#registry-client';
import { FakeRegistry, fuzzRounds, ImageFixture, mutate, seededNumbers } from '#testkit';

const silent = { onProgress: () => undefined };
const repository = 'team/app';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

const client = createRegistryClient({ attempts: 2, backoff: 1, stallTimeout: 200, environment: {} });
after(() => client.close());

async function layerTar(text = 'hello'): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'file' }, text);
  tar.entry({ name: 'noise' }, randomBytes(200_000));
  tar.finalize();
  return buffer(tar as AsyncIterable<Buffer>);
}

type Packing = { readonly type: string; readonly pack: (tar: Buffer) => Buffer };
const gzip: Packing = { type: 'application/vnd.oci.image.layer.v1.tar+gzip', pack: (tar) => gzipSync(tar) };
const zstd: Packing = {
  type: 'application/vnd.oci.image.layer.v1.tar+zstd',
  pack: (tar) => execFileSync('zstd', ['-q', '-c'], { input: tar }),
};

/** Puts an image of one layer under the tag `1`. */
async function addImage(registry: FakeRegistry, packing: Packing = gzip) {
  const tar = await layerTar();
  const config = registry.addBlob(
    repository,
    Buffer.from(
      JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(tar)] } }),
    ),
  );
  const layer = { ...registry.addBlob(repository, packing.pack(tar)), mediaType: packing.type };
  const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] };
  const digest = registry.addManifest(repository, '1', JSON.stringify(manifest));
  return { config, layer, digest, bytes: registry.blobs.get(`${repository}@${layer.digest}`) ?? Buffer.alloc(0) };
}

async function leftOf(fixture: ImageFixture): Promise<unknown[]> {
  const left: unknown[] = [...(await fixture.images.list()), ...(await fixture.snapshots.list())];
  // The collector leaves what was written in this very millisecond: it might be an operation's that just begins.
  for (const now = Date.now(); Date.now() === now; ) await nextTurn();
  await fixture.images.collectGarbage(new Set());
  for await (const { digest } of fixture.content.list()) left.push(digest);
  return left;
}

describe('a pull from a registry that fails or lies', () => {
  it('ends with an error and leaves nothing, and succeeds once the registry is well', async () => {
    await using registry = await new FakeRegistry().start();
    const { config, layer, bytes } = await addImage(registry);
    await using fixture = await ImageFixture.open({ registry: client });
    const name = `${registry.host}/${repository}:1`;
    const other = Buffer.from(bytes);
    other[other.length - 20] = (other[other.length - 20] ?? 0) ^ 1;
    const isLayer = (path: string) => path.endsWith(layer.digest);
    const faults: Record<string, FakeRegistry['intercept']> = {
      'an altered layer': (_request, response, url) => isLayer(url.pathname) && Boolean(response.end(other)),
      'a layer that always ends early': (_request, response, url) =>
        isLayer(url.pathname) && Boolean(response.end(bytes.subarray(0, 1000))),
      'an altered config': (_request, response, url) =>
        url.pathname.endsWith(config.digest) && Boolean(response.end(Buffer.alloc(config.size))),
      'a layer that stalls': (request, response, url) => {
        if (!isLayer(url.pathname) || request.method === 'HEAD') return false;
        response.writeHead(200, { 'content-length': bytes.length });
        return response.write(bytes.subarray(0, 100_000)) || true;
      },
      'a manifest that never comes': (request, _response, url) =>
        request.method === 'GET' && url.pathname.includes('/manifests/'),
      'no answer at all': () => true,
    };
    for (const [what, intercept] of Object.entries(faults)) {
      registry.intercept = intercept;
      await assert.rejects(fixture.images.pull(name, silent), (error) => isBerthError(error), what);
      assert.deepEqual(await leftOf(fixture), [], what);
    }
    registry.intercept = () => false;
    const image = await fixture.images.pull(name, silent);
    const top = await fixture.images.unpack(image);
    assert.equal(readFileSync(join(await fixture.snapshots.directory(top ?? ''), 'file'), 'utf8'), 'hello');
  });

  it('takes up a layer where the pull before was cut off', async () => {
    await using registry = await new FakeRegistry().start();
    const { layer, bytes } = await addImage(registry);
    const ranges: (string | undefined)[] = [];
    registry.intercept = (request, response, url) => {
      if (!url.pathname.endsWith(layer.digest)) return false;
      ranges.push(request.headers.range);
      if (ranges.length > 2) return false;
      response.writeHead(ranges.length === 1 ? 200 : 503, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 150_000), () => response.destroy());
      return true;
    };
    const hasty = createRegistryClient({ attempts: 1, environment: {} });
    await using cut = await ImageFixture.open({ registry: hasty });
    await assert.rejects(cut.images.pull(`${registry.host}/${repository}:1`, silent));
    ranges.length = 3;
    await cut.images.pull(`${registry.host}/${repository}:1`, silent);
    const from = Number(/^bytes=(\d+)-$/.exec(ranges[3] ?? '')?.[1]);
    assert.ok(from > 0 && from <= 150_000, `asked for ${ranges[3]}`);
    hasty.close();
  });

  it('makes use of a whole blob that was never committed, and begins anew where what is there is something else', async () => {
    await using registry = await new FakeRegistry().start();
    const { layer, bytes } = await addImage(registry);
    const rests = { whole: bytes, foreign: Buffer.alloc(1000), longer: Buffer.alloc(bytes.length + 5) };
    for (const [what, rest] of Object.entries(rests)) {
      await using fixture = await ImageFixture.open({ registry: client });
      const writer = await fixture.content.writer({ key: `pull ${layer.digest}` });
      await writer.write(rest);
      await writer.abort({ keep: true });
      registry.requests.length = 0;
      await fixture.images.pull(`${registry.host}/${repository}:1`, silent);
      const asked = registry.requests.filter((line) => line.endsWith(layer.digest)).length;
      assert.equal(asked, { whole: 0, foreign: 2, longer: 1 }[what], what);
    }
  });

  it('refuses an index that names an index, and one that names itself, after few requests', async () => {
    await using registry = await new FakeRegistry().start();
    await using fixture = await ImageFixture.open({ registry: client });
    const platform = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' };
    const indexOf = (digest: string, size: number) =>
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: indexType, digest, size, platform }] });
    const inner = indexOf(`sha256:${'0'.repeat(64)}`, 10);
    const digest = registry.addManifest(repository, 'inner', inner, indexType);
    registry.addManifest(repository, '1', indexOf(digest, inner.length), indexType);
    await assert.rejects(fixture.images.pull(`${registry.host}/${repository}:1`, silent), /names another index/);
    // Under a digest that is not its own, so that it can name itself.
    const loop = indexOf(`sha256:${'1'.repeat(64)}`, 10);
    const looped = { type: indexType, bytes: Buffer.from(loop) };
    registry.manifests.set(`${repository}@1`, looped);
    registry.manifests.set(`${repository}@sha256:${'1'.repeat(64)}`, looped);
    registry.requests.length = 0;
    await assert.rejects(fixture.images.pull(`${registry.host}/${repository}:1`, silent), (error) =>
      isBerthError(error),
    );
    assert.ok(registry.requests.length < 10, `${registry.requests.length} requests`);
    assert.deepEqual(await leftOf(fixture), []);
  });

  it('stops reading a manifest of 100 MB', async () => {
    await using registry = await new FakeRegistry().start();
    await using fixture = await ImageFixture.open({ registry: client });
    let sent = 0;
    registry.intercept = (request, response, url) => {
      if (!url.pathname.includes('/manifests/') || request.method === 'HEAD') return false;
      response.writeHead(200, { 'content-type': manifestType });
      const more = () => {
        while (sent < 100_000_000 && !response.destroyed) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, ' '))) break;
        }
      };
      response.on('drain', more);
      more();
      return true;
    };
    await assert.rejects(fixture.images.pull(`${registry.host}/${repository}:1`, silent), /larger than 4194304 bytes/);
    // What the sockets hold comes on top of the limit.
    assert.ok(sent < 40_000_000, `${sent} bytes were sent`);
  });

  it('takes damaged manifests and configs whole or not at all', async () => {
    await using registry = await new FakeRegistry().start();
    const { config, digest } = await addImage(registry);
    const texts = {
      manifest: registry.manifests.get(`${repository}@${digest}`)?.bytes ?? Buffer.alloc(0),
      config: registry.blobs.get(`${repository}@${config.digest}`) ?? Buffer.alloc(0),
    };
    const hasty = createRegistryClient({ attempts: 1, backoff: 1, stallTimeout: 2000, environment: {} });
    await using fixture = await ImageFixture.open({ registry: hasty });
    for (let seed = 1; seed <= fuzzRounds(20); seed += 1) {
      const random = seededNumbers(seed);
      let manifest = texts.manifest;
      if (seed % 2 === 0) manifest = mutate(manifest, random);
      else {
        const damaged = registry.addBlob(repository, mutate(texts.config, random));
        const document = JSON.parse(String(manifest)) as object;
        manifest = Buffer.from(JSON.stringify({ ...document, config: { ...config, ...damaged } }));
      }
      registry.manifests.set(`${repository}@1`, { type: manifestType, bytes: manifest });
      registry.manifests.set(`${repository}@${digestOf(manifest)}`, { type: manifestType, bytes: manifest });
      try {
        await fixture.images.pull(`${registry.host}/${repository}:1`, silent);
      } catch (error) {
        assert.ok(isBerthError(error), `seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      }
      for (const image of await fixture.images.list()) {
        await fixture.images.remove(image.id, { force: true, noPrune: false, inUse: () => [] });
      }
      assert.deepEqual(await leftOf(fixture), [], `seed ${seed}`);
      registry.manifests.delete(`${repository}@${digestOf(manifest)}`);
    }
    hasty.close();
  });

  it('goes on after the registry asked for patience, at once for all layers', async () => {
    await using registry = await new FakeRegistry().start();
    await addImage(registry);
    await using fixture = await ImageFixture.open({ registry: client });
    const refused = new Set<string>();
    registry.intercept = (_request, response, url) => {
      if (url.pathname === '/v2/' || refused.has(url.pathname)) return false;
      refused.add(url.pathname);
      response.writeHead(429, { 'retry-after': '0' }).end();
      return true;
    };
    await fixture.images.pull(`${registry.host}/${repository}:1`, silent);
    assert.ok(refused.size >= 3);
  });
});

describe('a layer packed with zstd', () => {
  it('is unpacked, and pushed again as it came', async () => {
    await using registry = await new FakeRegistry().start();
    const { digest } = await addImage(registry, zstd);
    await using fixture = await ImageFixture.open({ registry: client });
    const image = await fixture.images.pull(`${registry.host}/${repository}:1`, silent);
    const top = await fixture.images.unpack(image);
    assert.equal(readFileSync(join(await fixture.snapshots.directory(top ?? ''), 'file'), 'utf8'), 'hello');
    await fixture.images.tag(image.id, `${registry.host}/team/again:1`);
    const pushed = await fixture.images.push(`${registry.host}/team/again:1`, silent);
    assert.equal(pushed.digest, digest);
  });
});

describe('an image for another machine', () => {
  it('is taken with a warning where the registry has no other', async () => {
    await using registry = await new FakeRegistry().start();
    await addImage(registry);
    await using fixture = await ImageFixture.open({ registry: client });
    const name = `${registry.host}/${repository}:1`;
    const lines: string[] = [];
    const platform = { os: 'linux', architecture: 's390x' };
    const onProgress = ({ status }: { status: string }) => void lines.push(status);
    await fixture.images.pull(name, { onProgress, platform });
    const warning = `WARNING: image with reference ${name} was found but its platform (linux/amd64) does not match the specified platform (linux/s390x)`;
    assert.ok(lines.includes(warning));
    const archive = await buffer(await fixture.images.save([name]));
    await using other = await ImageFixture.open();
    await assert.rejects(other.images.load(Readable.from([archive]), { ...silent, platform }), {
      message: 'the archive holds no image for linux/s390x',
    });
    assert.deepEqual(await leftOf(other), []);
    const amd64 = { os: 'linux', architecture: 'amd64' };
    assert.equal((await other.images.load(Readable.from([archive]), { ...silent, platform: amd64 })).length, 1);
  });
});

describe('a tag of an image that is here under another name', () => {
  it('costs one request', async () => {
    await using registry = await new FakeRegistry().start();
    const { digest } = await addImage(registry);
    await using fixture = await ImageFixture.open({ registry: client });
    await fixture.images.pull(`${registry.host}/${repository}:1`, silent);
    const manifest = registry.manifests.get(`${repository}@1`);
    assert.ok(manifest);
    registry.manifests.set(`${repository}@2`, manifest);
    registry.requests.length = 0;
    const image = await fixture.images.pull(`${registry.host}/${repository}:2`, silent);
    assert.deepEqual(registry.requests, [`HEAD /v2/${repository}/manifests/2`]);
    assert.deepEqual(image.manifestDigest, digest);
    assert.equal((await fixture.images.get(`${registry.host}/${repository}:2`)).id, image.id);
  });
});

describe('an unchanged tag', () => {
  it('costs one request, by HEAD', async () => {
    await using registry = await new FakeRegistry().start();
    await addImage(registry);
    await using fixture = await ImageFixture.open({ registry: client });
    const name = `${registry.host}/${repository}:1`;
    await fixture.images.pull(name, silent);
    registry.requests.length = 0;
    await fixture.images.pull(name, silent);
    assert.deepEqual(registry.requests, [`HEAD /v2/${repository}/manifests/1`]);
  });
});
