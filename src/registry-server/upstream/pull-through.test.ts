import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestOf } from '#base';
import { openDatabase } from '#metadata';
import { codeOf, TestRegistry } from '../fixture.test.ts';
import { gatedUpstream } from '../gate-fixture.test.ts';
import { registryMigrations } from '../sqlite/schema.ts';

describe('a pull-through cache', () => {
  const far = gatedUpstream();
  const { gate } = far;
  const startCache = (freshFor = '0s') =>
    TestRegistry.start({ upstreams: [{ prefix: 'far/', registry: gate.host, freshFor }] });

  it('fetches what it lacks once, and serves it from then on', async () => {
    await using cache = await startCache('1h');
    const image = await far.upstream.pushImage('team/app', 'v1', 'cached');
    const paths = [
      '/v2/far/team/app/manifests/v1',
      `/v2/far/team/app/manifests/${image.digest}`,
      `/v2/far/team/app/blobs/${image.layer.digest}`,
    ];
    const first = await Promise.all(paths.map((path) => cache.send('GET', path)));
    assert.deepEqual(
      first.map(({ text }) => text),
      [image.bytes, image.bytes, 'layer cached'],
    );
    gate.seen.length = 0;
    for (const path of paths) assert.equal((await cache.send('GET', path)).status, 200);
    assert.deepEqual(gate.seen, []);
  });

  it('serves a stale tag when the upstream fails, says so, and follows it when it answers again', async () => {
    await using cache = await startCache();
    const first = await far.upstream.pushImage('team/app', 'moves', 'one');
    const get = () => cache.send('GET', '/v2/far/team/app/manifests/moves');
    assert.equal((await get()).text, first.bytes);
    const second = await far.upstream.pushImage('team/app', 'moves', 'two');
    gate.status = 429;
    const stale = await get();
    assert.equal(stale.text, first.bytes);
    assert.match(stale.headers.get('warning') ?? '', /^110 /);
    gate.status = 0;
    const fresh = await get();
    assert.equal(fresh.text, second.bytes);
    assert.equal(fresh.headers.get('warning'), null);
  });

  it('asks an upstream that failed no more for a while, and serves what it has', async () => {
    await using cache = await startCache('1h');
    await far.upstream.pushImage('team/app', 'down', 'one');
    const get = () => cache.send('GET', '/v2/far/team/app/manifests/down');
    await get();
    await cache.close();
    const database = openDatabase(join(cache.data, 'registry.db'), registryMigrations);
    database.run('UPDATE registry_tags SET checked_at = 0');
    database.close();
    await cache.open({ upstreams: [{ prefix: 'far/', registry: gate.host, freshFor: '1h' }] });
    for (const status of [403, 0]) {
      gate.status = status;
      gate.seen.length = 0;
      const answer = await get();
      assert.deepEqual([answer.status, answer.headers.get('warning')?.slice(0, 3)], [200, '110']);
      assert.equal(gate.seen.length > 0, status !== 0);
    }
  });

  it('says UNAVAILABLE for what it never had, and MANIFEST_UNKNOWN for what is not there', async () => {
    await using cache = await startCache();
    assert.equal(codeOf(await cache.send('GET', '/v2/far/team/app/manifests/nope')), 'MANIFEST_UNKNOWN');
    gate.status = 500;
    const answer = await cache.send('GET', '/v2/far/team/app/manifests/v9');
    assert.deepEqual([answer.status, codeOf(answer)], [503, 'UNAVAILABLE']);
  });

  it('downloads a blob once for many clients', async () => {
    await using cache = await startCache();
    const bytes = Buffer.alloc(3_000_000, 'many clients ');
    const { digest } = await far.upstream.pushBlob('team/app', bytes);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => cache.send('GET', `/v2/far/team/app/blobs/${digest}`)),
    );
    for (const answer of answers) assert.equal(digestOf(answer.bytes), digest);
    assert.equal(
      gate.seen.filter((line) => line.startsWith('GET') && line.includes('/blobs/')).length,
      1,
      gate.seen.join('\n'),
    );
  });

  it('goes on with a download that broke off, by a range', async () => {
    await using cache = await startCache();
    const bytes = Buffer.alloc(2_000_000, 'broken off ');
    const { digest } = await far.upstream.pushBlob('team/app', bytes);
    gate.cutAfter = 1_500_000;
    const answer = await cache.send('GET', `/v2/far/team/app/blobs/${digest}`);
    assert.equal(digestOf(answer.bytes), digest);
    assert.ok(
      gate.seen.some((line) => /bytes=[1-9]\d*-$/.test(line)),
      gate.seen.join('\n'),
    );
  });

  it('never stores or finishes an altered blob', async () => {
    await using cache = await startCache();
    const { digest } = await far.upstream.pushBlob('team/app', 'honest bytes of the upstream');
    gate.alter = true;
    await assert.rejects(cache.send('GET', `/v2/far/team/app/blobs/${digest}`));
    gate.alter = false;
    const answer = await cache.send('GET', `/v2/far/team/app/blobs/${digest}`);
    assert.equal(answer.text, 'honest bytes of the upstream');
  });

  it('lists the tags of the upstream, and what it has itself when that fails', async () => {
    await using cache = await startCache();
    await far.upstream.pushImage('list/app', 'a');
    await far.upstream.pushImage('list/app', 'b');
    await cache.send('GET', '/v2/far/list/app/manifests/b');
    const tags = async () =>
      (JSON.parse((await cache.send('GET', '/v2/far/list/app/tags/list')).text) as { tags: string[] }).tags;
    assert.deepEqual(await tags(), ['a', 'b']);
    gate.status = 500;
    assert.deepEqual(await tags(), ['b']);
  });

  it('takes no pushes', async () => {
    await using cache = await startCache();
    assert.equal((await cache.send('POST', '/v2/far/team/app/blobs/uploads/')).status, 405);
    assert.equal((await cache.send('POST', '/v2/own/app/blobs/uploads/')).status, 202);
  });
});
