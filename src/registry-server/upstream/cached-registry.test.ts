import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bcrypt } from 'hash-wasm';
import { digestOf } from '#base';
import { mediaTypes } from '#oci';
import { type Answer, codeOf, imageManifest, TestRegistry } from '../fixture.test.ts';
import { gatedUpstream } from '../gate-fixture.test.ts';

const filler = 'x'.repeat(100_000);

/** Resolves when the clock shows another millisecond, so that what comes next is later. */
async function later(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise(setImmediate);
}

const far = gatedUpstream();
const { gate } = far;

// A refusal of the upstream is told at once; other failures it would be asked about again.
describe('a cache with limits', () => {
  const settings = (limits: Record<string, unknown>) => ({
    upstreams: [{ prefix: 'far/', registry: gate.host, freshFor: '1h', ...limits }],
    garbage: { interval: '0s', grace: '0s' },
  });
  const pull = async (cache: TestRegistry, name: string, salt = name) => {
    const { layer } = await far.upstream.pushImage(name, 'v1', salt + filler);
    await cache.send('GET', `/v2/far/${name}/manifests/v1`);
    const answer = await cache.send('GET', `/v2/far/${name}/blobs/${layer.digest}`);
    assert.equal(answer.status, 200);
    await later();
    return () => cache.send('GET', `/v2/far/${name}/blobs/${layer.digest}`);
  };

  it('lets go what was used least recently when it is too large, and fetches it again', async () => {
    await using cache = await TestRegistry.start(settings({ maxBytes: 250_000 }));
    const own = await cache.pushImage('own/app', 'v1', `own${filler}${filler}${filler}`);
    const first = await pull(cache, 'size/first');
    const second = await pull(cache, 'size/second');
    // Asking for the tag is a use of the whole image.
    await cache.send('HEAD', '/v2/far/size/first/manifests/v1');
    await later();
    const third = await pull(cache, 'size/third');
    await cache.server.collectGarbage();
    await cache.server.collectGarbage();
    gate.status = 403;
    assert.deepEqual([(await first()).status, (await second()).status, (await third()).status], [200, 403, 200]);
    assert.equal((await cache.send('GET', '/v2/far/size/second/manifests/v1')).status, 403);
    assert.equal((await cache.send('GET', `/v2/own/app/blobs/${own.layer.digest}`)).status, 200);
    gate.status = 0;
    assert.equal((await second()).status, 200);
  });

  it('comes back below its size by itself while it is used', async () => {
    await using cache = await TestRegistry.start(settings({ maxBytes: 150_000 }));
    const first = await pull(cache, 'self/first');
    await pull(cache, 'self/second');
    gate.status = 403;
    let answer: Answer;
    do answer = await first();
    while (answer.status === 200);
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'DENIED']);
  });

  it('lets go what nobody used for long enough, tags and all', async () => {
    await using cache = await TestRegistry.start(settings({ keepFor: '1h' }));
    const layer = await pull(cache, 'age/app');
    await cache.server.collectGarbage();
    gate.status = 403;
    assert.equal((await layer()).status, 200);
    await cache.close();
    await cache.open(settings({ keepFor: '0s' }));
    const collected = await cache.server.collectGarbage();
    assert.equal(collected.evicted, 2);
    assert.equal(collected.blobs, 1);
    assert.equal((await layer()).status, 403);
    assert.equal((await cache.send('GET', '/v2/far/age/app/manifests/v1')).status, 403);
    assert.deepEqual(JSON.parse((await cache.send('GET', '/v2/_catalog')).text), { repositories: [] });
  });

  it('counts a cache inside another for itself', async () => {
    const registry = gate.host;
    const upstreams = [
      { prefix: '', registry, freshFor: '1h', keepFor: '0s' },
      { prefix: 'far/', registry, freshFor: '1h' },
    ];
    await using cache = await TestRegistry.start({ ...settings({}), upstreams });
    const inner = await pull(cache, 'inner/app');
    await cache.send('GET', '/v2/inner/app/manifests/v1');
    await later();
    assert.equal((await cache.server.collectGarbage()).evicted, 1);
    gate.status = 403;
    assert.equal((await inner()).status, 200);
    assert.equal((await cache.send('GET', '/v2/inner/app/manifests/v1')).status, 403);
  });
});

describe('referrers of a cached manifest', () => {
  const start = () => TestRegistry.start({ upstreams: [{ prefix: 'far/', registry: gate.host, freshFor: '1h' }] });
  const list = async (cache: TestRegistry, digest: string, query = '') => {
    const answer = await cache.send('GET', `/v2/far/signed/app/referrers/${digest}${query}`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('content-type'), mediaTypes.ociIndex);
    const { manifests } = JSON.parse(answer.text) as { manifests: { digest: string; artifactType: string }[] };
    return { answer, manifests };
  };
  const sign = async (artifactType: string) => {
    const image = await far.upstream.pushImage('signed/app', 'v1', 'signed');
    const subject = { mediaType: mediaTypes.ociManifest, digest: image.digest, size: image.size };
    const more = { subject, artifactType, annotations: { 'org.example.by': 'me' } };
    const manifest = imageManifest(image.config, [image.layer], more);
    const bytes = JSON.stringify(manifest);
    await far.upstream.pushManifest('signed/app', digestOf(bytes), manifest);
    return { image, digest: digestOf(bytes), size: bytes.length, annotations: more.annotations, artifactType };
  };

  it('are those that the upstream lists, by type and page by page', async () => {
    await using cache = await start();
    const one = await sign('example/one');
    const two = await sign('example/two');
    const { manifests, answer } = await list(cache, one.image.digest);
    const expected = [one, two].map(({ image: _, ...rest }) => ({ mediaType: mediaTypes.ociManifest, ...rest }));
    assert.deepEqual(
      manifests,
      expected.sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    );
    assert.equal(answer.headers.get('warning'), null);
    const chosen = await list(cache, one.image.digest, '?artifactType=example/two');
    assert.deepEqual([chosen.manifests.length, chosen.manifests[0]?.digest], [1, two.digest]);
    assert.equal(chosen.answer.headers.get('oci-filters-applied'), 'artifactType');
    const page = await list(cache, one.image.digest, '?n=1');
    const next = /<([^>]+)>/.exec(page.answer.headers.get('link') ?? '')?.[1] ?? '';
    const rest = JSON.parse((await cache.send('GET', next)).text) as { manifests: { digest: string }[] };
    assert.deepEqual(
      [page.manifests[0]?.digest, rest.manifests[0]?.digest],
      manifests.map(({ digest }) => digest),
    );
    assert.deepEqual((await list(cache, digestOf('nobody'))).manifests, []);
  });

  it('are those that were pulled while the upstream fails, and said to be stale', async () => {
    await using cache = await start();
    const one = await sign('example/one');
    await sign('example/two');
    await cache.send('GET', `/v2/far/signed/app/manifests/${one.digest}`);
    gate.status = 500;
    const { manifests, answer } = await list(cache, one.image.digest);
    assert.deepEqual(
      manifests.map(({ digest }) => digest),
      [one.digest],
    );
    assert.match(answer.headers.get('warning') ?? '', /^110 /);
  });

  it('are those of the tag that takes the place of a list in an upstream without one', async () => {
    await using cache = await start();
    const one = await sign('example/one');
    Object.assign(gate, { status: 404, only: /\/referrers\// });
    assert.deepEqual((await list(cache, one.image.digest)).manifests, []);
    const entry = {
      mediaType: mediaTypes.ociManifest,
      digest: one.digest,
      size: one.size,
      artifactType: 'example/one',
    };
    const tag = one.image.digest.replace(':', '-');
    const fallback = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] };
    assert.equal((await far.upstream.pushManifest('signed/app', tag, fallback, mediaTypes.ociIndex)).status, 201);
    assert.deepEqual((await list(cache, one.image.digest)).manifests, [entry]);
  });
});

describe('a cache of a registry that asks for a login', () => {
  it('shows its own login there, and nobody needs one here', async () => {
    await using closed = await TestRegistry.start();
    const image = await closed.pushImage('team/app', 'v1', 'secret');
    await closed.close();
    const hash = await bcrypt({ password: 'ecila', salt: Buffer.alloc(16, 7), costFactor: 4, outputType: 'encoded' });
    const [htpasswd, passwordFile] = ['htpasswd', 'password'].map((name) => join(closed.data, name));
    await writeFile(htpasswd ?? '', `alice:${hash}\n`);
    await writeFile(passwordFile ?? '', 'ecila\n');
    for (const tokens of [false, true]) {
      await closed.open({ auth: { htpasswd, tokens } });
      const startCache = (login: Record<string, unknown>) =>
        TestRegistry.start({ upstreams: [{ prefix: '', registry: closed.host, freshFor: '0s', ...login }] });
      await using cache = await startCache({ username: 'alice', passwordFile });
      assert.equal((await cache.send('GET', '/v2/team/app/manifests/v1')).text, image.bytes);
      assert.equal((await cache.send('GET', `/v2/team/app/blobs/${image.layer.digest}`)).text, 'layer secret');
      assert.deepEqual(JSON.parse((await cache.send('GET', '/v2/team/app/tags/list')).text).tags, ['v1']);
      assert.equal((await cache.send('GET', `/v2/team/app/referrers/${image.digest}`)).headers.get('warning'), null);
      for (const login of [{}, { username: 'alice', password: 'wrong' }]) {
        await using refused = await startCache(login);
        for (const path of ['manifests/v1', `blobs/${image.layer.digest}`]) {
          const answer = await refused.send('GET', `/v2/team/app/${path}`);
          assert.deepEqual([answer.status, codeOf(answer)], [403, 'DENIED'], `${path} ${tokens}`);
        }
      }
      await closed.close();
    }
  });
});

it('a client that waits for a slow upstream is not taken for one that stalls', async () => {
  const upstreams = [{ prefix: 'far/', registry: gate.host, freshFor: '1h' }];
  await using cache = await TestRegistry.start({ upstreams, limits: { stallTimeout: '500ms' } });
  const image = await far.upstream.pushImage('slow/app', 'v1', 'slow');
  gate.delay = 1200;
  assert.equal((await cache.send('GET', '/v2/far/slow/app/manifests/v1')).text, image.bytes);
});
