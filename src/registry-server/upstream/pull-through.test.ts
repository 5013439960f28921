import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { digestOf } from '#base';
import { codeOf, TestRegistry } from '../fixture.test.ts';

/** A way to the upstream that can be counted and broken. */
class Gate {
  readonly seen: string[] = [];
  /** Answers all with this status instead; 0 passes. */
  status = 0;
  /** Cuts blob answers after so many bytes. */
  cutAfter = Number.POSITIVE_INFINITY;
  /** Changes a byte of blobs. */
  alter = false;
  readonly #server: Server;

  constructor(port: () => number) {
    this.#server = createServer((incoming, outgoing) => {
      this.seen.push(`${incoming.method} ${incoming.url}${incoming.headers.range ? ` ${incoming.headers.range}` : ''}`);
      if (this.status !== 0) {
        outgoing.writeHead(this.status).end();
        return;
      }
      const { method, url, headers } = incoming;
      const onward = request({ host: '127.0.0.1', port: port(), method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        const isBlob = method === 'GET' && (url ?? '').includes('/blobs/');
        let sent = 0;
        answer.on('data', (chunk: Buffer) => {
          if (isBlob && this.alter) chunk[0] = 0;
          const part = isBlob ? chunk.subarray(0, Math.max(0, this.cutAfter - sent)) : chunk;
          sent += part.length;
          outgoing.write(part);
          if (isBlob && sent >= this.cutAfter) outgoing.destroy();
        });
        answer.on('end', () => outgoing.end());
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('a pull-through cache', () => {
  let upstream: TestRegistry;
  let gate: Gate;
  before(async () => {
    upstream = await TestRegistry.start();
    gate = new Gate(() => upstream.port);
    await gate.start();
  });
  after(async () => {
    await gate.stop();
    await upstream[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    Object.assign(gate, { status: 0, cutAfter: Number.POSITIVE_INFINITY, alter: false });
    gate.seen.length = 0;
  });
  const startCache = (freshFor = '0s') =>
    TestRegistry.start({ upstreams: [{ prefix: 'far/', registry: gate.host, freshFor }] });

  it('fetches what it lacks once, and serves it from then on', async () => {
    await using cache = await startCache('1h');
    const image = await upstream.pushImage('team/app', 'v1', 'cached');
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
    const first = await upstream.pushImage('team/app', 'moves', 'one');
    const get = () => cache.send('GET', '/v2/far/team/app/manifests/moves');
    assert.equal((await get()).text, first.bytes);
    const second = await upstream.pushImage('team/app', 'moves', 'two');
    gate.status = 429;
    const stale = await get();
    assert.equal(stale.text, first.bytes);
    assert.match(stale.headers.get('warning') ?? '', /^110 /);
    gate.status = 0;
    const fresh = await get();
    assert.equal(fresh.text, second.bytes);
    assert.equal(fresh.headers.get('warning'), null);
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
    const { digest } = await upstream.pushBlob('team/app', bytes);
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
    const { digest } = await upstream.pushBlob('team/app', bytes);
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
    const { digest } = await upstream.pushBlob('team/app', 'honest bytes of the upstream');
    gate.alter = true;
    await assert.rejects(cache.send('GET', `/v2/far/team/app/blobs/${digest}`));
    gate.alter = false;
    const answer = await cache.send('GET', `/v2/far/team/app/blobs/${digest}`);
    assert.equal(answer.text, 'honest bytes of the upstream');
  });

  it('lists the tags of the upstream, and what it has itself when that fails', async () => {
    await using cache = await startCache();
    await upstream.pushImage('list/app', 'a');
    await upstream.pushImage('list/app', 'b');
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
