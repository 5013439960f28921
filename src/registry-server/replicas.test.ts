import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { digestOf } from '#base';
import { type Answer, codeOf, imageManifest, TestRegistry } from './fixture.test.ts';
import { postgresPrograms, TestPostgres } from './postgres-fixture.test.ts';
import { hasSwift, TestSwift } from './swift-fixture.test.ts';

const installed = postgresPrograms() !== undefined && hasSwift();

describe('two registries on one bucket and one database', { skip: !installed && 'needs PostgreSQL and Swift' }, () => {
  let postgres: TestPostgres;
  let swift: TestSwift;
  let settings: Record<string, unknown>;
  const registries: TestRegistry[] = [];
  const heard: { action: string; target: { repository: string } }[] = [];
  const hook = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      heard.push(...(JSON.parse(body) as { events: typeof heard }).events);
      response.end();
    });
  });

  before(async () => {
    [postgres, swift] = await Promise.all([TestPostgres.start(), TestSwift.start()]);
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    settings = {
      storage: { s3: await swift.bucket() },
      records: { postgres: await postgres.database() },
      webhooks: [{ name: 'hook', url }],
      garbage: { interval: '0s', grace: '0s' },
    };
    const opened = await Promise.all([0, 1].map(() => TestRegistry.start(settings)));
    registries.push(...opened);
  });
  after(async () => {
    for (const registry of registries) await registry[Symbol.asyncDispose]();
    hook.close();
    await swift?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });
  const pair = (): [TestRegistry, TestRegistry] => {
    const [first, second] = registries;
    assert.ok(first && second);
    return [first, second];
  };

  it('what one took the other gives, and nothing lies in their directories', async () => {
    const [first, second] = pair();
    const image = await first.pushImage('shared', 'latest', 'one');
    const manifest = await second.send('GET', '/v2/shared/manifests/latest');
    assert.equal(manifest.text, image.bytes);
    const layer = await second.send('GET', `/v2/shared/blobs/${image.layer.digest}`);
    assert.equal(layer.text, 'layer one');
    const part = await second.send('GET', `/v2/shared/blobs/${image.layer.digest}`, {
      headers: { range: 'bytes=1-3' },
    });
    assert.deepEqual([part.status, part.text], [206, 'aye']);
    for (const { data } of registries) assert.equal(existsSync(`${data}/registry.lock`), false);
  });

  it('an upload goes from one to the other, chunk by chunk', async () => {
    const [first, second] = pair();
    const bytes = randomBytes(20 * 1024 * 1024);
    const digest = digestOf(bytes);
    const begun = await first.send('POST', '/v2/moved/blobs/uploads/');
    const at = begun.headers.get('location') ?? '';
    const chunk = (registry: TestRegistry, start: number, end: number) =>
      registry.send('PATCH', at, {
        body: bytes.subarray(start, end),
        headers: { 'content-range': `${start}-${end - 1}`, 'content-type': 'application/octet-stream' },
      });
    const cuts = [0, 9_000_000, 9_000_001, 18_000_000];
    let last: Answer | undefined;
    for (const [turn, start] of cuts.slice(0, -1).entries()) {
      last = await chunk(turn % 2 === 0 ? first : second, start, cuts[turn + 1] ?? 0);
      assert.equal(last.status, 202, last.text);
    }
    assert.equal(last?.headers.get('range'), '0-17999999');
    assert.equal((await chunk(second, 5, 10)).status, 416);
    assert.equal((await second.send('GET', at)).headers.get('range'), '0-17999999');
    const put = await second.send('PUT', `${at}?digest=${digest}`, { body: bytes.subarray(18_000_000) });
    assert.equal(put.status, 201, put.text);
    assert.equal((await first.send('PATCH', at, { body: 'late' })).status, 404);
    assert.equal(digestOf((await first.send('GET', `/v2/moved/blobs/${digest}`)).bytes), digest);
  });

  it('an upload is taken up after one server was closed and replaced', async () => {
    const [first, second] = pair();
    const begun = await second.send('POST', '/v2/restart/blobs/uploads/');
    const at = begun.headers.get('location') ?? '';
    assert.equal((await second.send('PATCH', at, { body: 'half ' })).status, 202);
    await second.close();
    assert.equal((await first.send('GET', at)).headers.get('range'), '0-4');
    await second.open(settings);
    const put = await second.send('PUT', `${at}?digest=${digestOf('half and half')}`, { body: 'and half' });
    assert.equal(put.status, 201, put.text);
  });

  it('an upload that one of them is receiving stays when another ends old ones', async () => {
    const [first] = pair();
    const at = (await first.send('POST', '/v2/busy/blobs/uploads/')).headers.get('location') ?? '';
    const socket = connect(first.port, '127.0.0.1');
    socket.write(`PATCH ${at} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\nfirst`);
    while (!/^registry_uploads_open 1$/m.test((await first.send('GET', '/metrics')).text));
    const garbage = { interval: '0s', grace: '0s', uploadLifetime: '0s' };
    await using third = await TestRegistry.start({ ...settings, garbage });
    assert.equal((await third.server.collectGarbage()).uploads, 0);
    socket.write(' last');
    assert.match(await text(socket), /^HTTP\/1.1 202 /);
    const put = await first.send('PUT', `${at}?digest=${digestOf('first last')}`);
    assert.equal(put.status, 201, put.text);
  });

  it('altered bytes are refused, and the same image pushed to both at once is stored', async () => {
    const [first, second] = pair();
    const wrong = await first.send('POST', `/v2/wrong/blobs/uploads/?digest=${digestOf('right')}`, { body: 'altered' });
    assert.deepEqual([wrong.status, codeOf(wrong)], [400, 'DIGEST_INVALID']);
    const [one, two] = await Promise.all([
      first.pushImage('twice', 'a', 'same'),
      second.pushImage('twice', 'b', 'same'),
    ]);
    assert.equal(one.digest, two.digest);
    assert.deepEqual(JSON.parse((await second.send('GET', '/v2/twice/tags/list')).text).tags, ['a', 'b']);
  });

  it('both collect garbage while pushes go on, and no accepted image loses a blob', async () => {
    const [first, second] = pair();
    let pushing = true;
    const collecting = (async () => {
      while (pushing) await Promise.all([first.server.collectGarbage(), second.server.collectGarbage()]);
    })();
    const pushed: { layer: { digest: string } }[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      const registry = turn % 2 === 0 ? first : second;
      // Without a grace period a blob may go before its manifest comes; then the push is refused, and done again.
      const image = await registry.pushImage('busy', `t${turn}`, `${turn}`).catch(() => undefined);
      if (image !== undefined) pushed.push(image);
    }
    pushing = false;
    await collecting;
    for (const { layer } of pushed) {
      const answer = await second.send('GET', `/v2/busy/blobs/${layer.digest}`);
      assert.equal(digestOf(answer.bytes), layer.digest);
    }
    const kept = await first.pushBlob('busy', 'kept layer');
    const config = await second.pushBlob('busy', '{}');
    assert.equal((await second.pushManifest('busy', 'end', imageManifest(config, [kept]))).status, 201);
    const loose = await first.pushBlob('busy', 'loose');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await second.server.collectGarbage();
    assert.equal((await first.send('HEAD', `/v2/busy/blobs/${loose.digest}`)).status, 404);
    assert.equal((await first.send('HEAD', `/v2/busy/blobs/${kept.digest}`)).status, 200);
  });

  it('a webhook hears of every push once, whichever server took it', async () => {
    const [first, second] = pair();
    await Promise.all([first.pushImage('heard', 'a', 'x'), second.pushImage('heard', 'b', 'y')]);
    const pushes = () => heard.filter(({ target }) => target.repository === 'heard').length;
    while (pushes() < 6)
      await new Promise((resolve) => hook.once('request', (_, response) => response.once('finish', resolve)));
    assert.equal(pushes(), 6);
  });
});
