import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { it } from 'node:test';
import { digestOf, isBerthError } from '#base';
import { parseConfig } from '#registry-server';
import { codeOf, TestRegistry } from './fixture.test.ts';

/** Opens a connection and sends the beginning of a request; gives all that comes back until the end. */
async function raw(registry: TestRegistry, text: string): Promise<string> {
  const socket = connect(registry.port, '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.write(text);
  await closed;
  return received;
}

it('keeps what arrived of a cut-off chunk, and the client goes on from there', async () => {
  await using registry = await TestRegistry.start();
  const begun = await registry.send('POST', '/v2/some/app/blobs/uploads/');
  const location = begun.headers.get('location') ?? '';
  const socket = connect(registry.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of `);
  const received = async () => (await registry.send('GET', location)).headers.get('range');
  while ((await received()) !== '0-7');
  socket.destroy();
  const headers = { 'content-range': '8-10', 'content-type': 'application/octet-stream' };
  const goOn = () => registry.send('PATCH', location, { body: 'it.', headers });
  // The server may not have seen the end of the connection yet.
  let next = await goOn();
  while (next.status === 409) next = await goOn();
  assert.equal(next.headers.get('range'), '0-10');
  const done = await registry.send('PUT', `${location}?digest=${digestOf('half of it.')}`);
  assert.equal(done.status, 201);
});

it('takes up an upload after a restart', async () => {
  await using registry = await TestRegistry.start();
  const location = (await registry.send('POST', '/v2/some/app/blobs/uploads/')).headers.get('location') ?? '';
  await registry.send('PATCH', location, { body: 'before, ' });
  await registry.close();
  await registry.open();
  assert.equal((await registry.send('GET', location)).headers.get('range'), '0-7');
  const done = await registry.send('PUT', `${location}?digest=${digestOf('before, after')}`, { body: 'after' });
  assert.equal(done.status, 201);
});

/** Asks until the connection holds: on a busy machine a request may itself stall for longer than a short limit. */
async function ask(registry: TestRegistry, method: string, path: string) {
  for (;;) {
    const answer = await registry.send(method, path).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
}

it('cuts off clients that send nothing, and answers others meanwhile', async () => {
  await using registry = await TestRegistry.start({ limits: { stallTimeout: '200ms' } });
  const location = (await ask(registry, 'POST', '/v2/some/app/blobs/uploads/')).headers.get('location');
  const stalled = raw(registry, `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nand then`);
  assert.equal((await ask(registry, 'GET', '/v2/')).status, 200);
  assert.equal(await stalled, '');
});

it('refuses blobs above the limit', async () => {
  await using registry = await TestRegistry.start({ limits: { blob: '1k' } });
  const digest = digestOf('x'.repeat(1025));
  const answer = await registry.send('POST', `/v2/some/app/blobs/uploads/?digest=${digest}`, {
    body: 'x'.repeat(1025),
  });
  assert.deepEqual([answer.status, codeOf(answer)], [400, 'SIZE_INVALID']);
  assert.equal((await registry.send('HEAD', `/v2/some/app/blobs/${digest}`)).status, 404);
});

it('tells clients above their rate to come back later', async () => {
  await using registry = await TestRegistry.start({ limits: { requestRate: 1 } });
  const statuses: number[] = [];
  for (let request = 0; request < 12; request += 1) {
    const answer = await registry.send('GET', '/v2/');
    statuses.push(answer.status);
    if (answer.status === 429) assert.ok(Number(answer.headers.get('retry-after')) >= 1);
  }
  assert.equal(statuses[0], 200);
  assert.equal(statuses.at(-1), 429);
});

it('keeps repositories below a prefix within their quota, and takes pushes again when room was made', async () => {
  const garbage = { interval: '0s', grace: '0s', untagged: true };
  await using registry = await TestRegistry.start({ garbage, quotas: [{ prefix: 'team/', bytes: 1000 }] });
  const { digest } = await registry.pushBlob('team/app', 'x'.repeat(900));
  const body = 'y'.repeat(200);
  const push = () =>
    registry.send('POST', `/v2/team/other/blobs/uploads/?digest=${digestOf(body)}`, {
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
  const refused = await push();
  assert.deepEqual([refused.status, codeOf(refused)], [403, 'DENIED']);
  assert.match(refused.text, /quota/);
  await registry.pushBlob('elsewhere/app', body);
  const mount = `/v2/team/other/blobs/uploads/?mount=${digestOf(body)}&from=elsewhere/app`;
  assert.equal((await registry.send('POST', mount)).status, 403);
  await registry.send('DELETE', `/v2/team/app/blobs/${digest}`);
  assert.equal((await push()).status, 201);
});

it('shows its counts to Prometheus and writes a line per request', async () => {
  await using registry = await TestRegistry.start();
  const { layer } = await registry.pushImage('some/app', 'v1');
  await registry.send('GET', `/v2/some/app/blobs/${layer.digest}`, { headers: { 'user-agent': 'tester/1' } });
  const { text } = await registry.send('GET', '/metrics');
  assert.match(text, /^registry_requests_total\{method="GET",route="blob",status="200"\} 1$/m);
  assert.match(text, /^registry_tags 1$/m);
  assert.match(text, /^registry_blobs 2$/m);
  assert.match(text, /^registry_request_duration_seconds_bucket\{method="PUT",route="manifest",le="\+Inf"\} 1$/m);
  const entry = registry.log.find(({ agent }) => agent === 'tester/1');
  assert.equal(entry?.status, 200);
  assert.equal(entry?.method, 'GET');
  assert.ok((entry?.bytesOut ?? 0) > layer.size);
});

it('names each setting that is wrong, and what is wrong with it', () => {
  const wrong: [unknown, RegExp][] = [
    [{ adr: 'x' }, /^test: there is no setting "adr"$/],
    [[], /^test: want settings by name/],
    [{ quotas: [{ prefix: 'a', bytes: 'many' }] }, /^test: "quotas\.0\.bytes": invalid size: 'many'$/],
    [
      { limits: { stallTimeout: 'soon', blobb: 1 } },
      /"limits\.stallTimeout": .*soon.*; .* no setting "limits\.blobb"$/,
    ],
    [{ tls: { cert: 'cert.pem' } }, /^test: "tls\.key" is missing$/],
    [{ auth: { rules: [{ users: ['a'], repository: '*', actions: ['eat'] }] } }, /auth\.rules\.0\.actions/],
  ];
  for (const [settings, message] of wrong) {
    assert.throws(
      () => parseConfig(settings, 'test'),
      (error) => isBerthError(error, 'invalid') && message.test(error.message),
    );
  }
});
