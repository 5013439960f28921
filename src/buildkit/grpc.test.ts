import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { isBerthError, notFound } from '#base';
import { makeCertificates } from '#testkit';
import { connectGrpc } from './connect-grpc.ts';
import { frame } from './frames.ts';
import { answering, type Call, type Handler, type Method, streaming } from './grpc.ts';
import { serveGrpc } from './serve-grpc.ts';
import { sessionMethods } from './session-methods.ts';

const text = {
  encode: (message: string) => Buffer.from(message),
  decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
};
const shout: Method<string, string> = { path: '/test.Voice/Shout', question: text, answer: text };
const talk: Method<string, string> = { path: '/test.Voice/Talk', question: text, answer: text };

/** Two ends of one connection. */
async function socketPair(t: TestContext, allowHalfOpen = false): Promise<[Socket, Socket]> {
  const directory = mkdtempSync(join(tmpdir(), 'buildkit-'));
  const server = createServer({ allowHalfOpen }).listen(join(directory, 's'));
  await once(server, 'listening');
  const left = connect(join(directory, 's'));
  const [right] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    left.destroy();
    right.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  left.on('error', () => undefined);
  right.on('error', () => undefined);
  return [left, right];
}

async function pair(t: TestContext, handlers: readonly Handler[]) {
  const [left, right] = await socketPair(t);
  const serving = serveGrpc(right, handlers);
  const caller = connectGrpc(left);
  t.after(() => caller.close());
  return { caller, serving, left, right };
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const kind = (wanted: string) => (error: unknown) => isBerthError(error) && error.kind === wanted;

test('a question is answered, with metadata of several values, of bytes and of other alphabets', async (t) => {
  const seen: Call[] = [];
  const { caller } = await pair(t, [
    answering(shout, (question, call) => {
      seen.push(call);
      return Promise.resolve(question.toUpperCase());
    }),
  ]);
  const metadata = { names: ['a, b', 'ç'], 'raw-bin': ['\x00\xff'] };
  assert.equal(await caller.ask(shout, 'hello', { metadata }), 'HELLO');
  assert.deepEqual(seen[0]?.metadata, metadata);
});

test('a session is healthy without a handler for it', async (t) => {
  const { caller } = await pair(t, []);
  assert.deepEqual(await caller.ask(sessionMethods.health, { service: '' }), { status: 1 });
});

test('errors arrive with their kind and text, whatever letters are in it', async (t) => {
  const { caller } = await pair(t, [
    answering(shout, () => Promise.reject(notFound('no secret "ä%41"\nhere'))),
    answering(talk, () => Promise.reject(new Error('broken'))),
  ]);
  await assert.rejects(caller.ask(shout, 'x'), (error: unknown) => {
    assert.ok(kind('not-found')(error));
    assert.equal((error as Error).message, 'no secret "ä%41"\nhere');
    return true;
  });
  await assert.rejects(caller.ask(talk, 'x'), { message: 'broken', kind: 'unavailable' });
  await assert.rejects(caller.ask({ ...shout, path: '/test.Voice/Sing' }, 'x'), kind('not-implemented'));
});

test('both ends of a stream send as they like, and a large message passes', async (t) => {
  const { caller } = await pair(t, [
    streaming(talk, async (stream) => {
      await stream.send('welcome');
      for await (const word of stream.received) await stream.send(word.toUpperCase());
      await stream.send('bye');
    }),
  ]);
  const stream = caller.open(talk);
  const large = 'x'.repeat(3 * 1024 * 1024);
  for (const word of ['one', large, '']) await stream.send(word);
  stream.end();
  assert.deepEqual(await all(stream.received), ['welcome', 'ONE', large.toUpperCase(), '', 'bye']);
});

test('a reader that does not read makes the sender wait', async (t) => {
  let sent = 0;
  const chunk = 'y'.repeat(256 * 1024);
  const { caller } = await pair(t, [
    streaming(talk, async (stream) => {
      for (; sent < 100; sent++) await stream.send(chunk);
    }),
  ]);
  const reader = caller.open(talk);
  reader.end();
  // Another call on the same connection still passes, and when it has, the sender has long filled its window.
  for (let round = 0; round < 20; round++) await caller.ask(sessionMethods.health, { service: '' });
  assert.ok(sent < 50, `${sent} of 100 were sent to a reader that reads none`);
  assert.equal((await all(reader.received)).length, 100);
});

test('a caller that gives up ends the handler, and the connection lives on', async (t) => {
  const stopped: string[] = [];
  const started = new EventTarget();
  const { caller } = await pair(t, [
    streaming(talk, async (stream, signal) => {
      started.dispatchEvent(new Event('start'));
      await once(signal, 'abort');
      stopped.push('talk');
      started.dispatchEvent(new Event('stop'));
      await stream.send('nobody hears this');
    }),
  ]);
  const controller = new AbortController();
  const begun = once(started, 'start');
  const over = once(started, 'stop');
  const stream = caller.open(talk, { signal: controller.signal });
  await begun;
  controller.abort();
  await assert.rejects(all(stream.received), kind('canceled'));
  await assert.rejects(stream.send('x'), kind('canceled'));
  await over;
  assert.deepEqual(stopped, ['talk']);
  assert.deepEqual(await caller.ask(sessionMethods.health, { service: '' }), { status: 1 });
});

test('a call without an answer ends at its deadline on both ends', async (t) => {
  const { caller } = await pair(t, [answering(shout, () => new Promise<string>(() => undefined))]);
  await assert.rejects(caller.ask(shout, 'x', { timeoutMs: 20 }), kind('timeout'));
});

test('calls fail as unavailable when the connection ends, before, meanwhile and after', async (t) => {
  const { caller, serving, right } = await pair(t, [
    streaming(talk, async (stream) => {
      await stream.send('one');
      right.destroy();
    }),
  ]);
  const stream = caller.open(talk);
  await assert.rejects(all(stream.received), kind('unavailable'));
  await Promise.all([caller.closed, serving.closed]);
  await assert.rejects(caller.ask(shout, 'x'), kind('unavailable'));
});

test('closing the caller ends the connection', async (t) => {
  const { caller, serving } = await pair(t, []);
  await caller.ask(sessionMethods.health, { service: '' });
  caller.close();
  await Promise.all([caller.closed, serving.closed]);
});

test('a peer that goes is seen also on sockets that may be half open, as those of HTTP servers are', async (t) => {
  const [left, right] = await socketPair(t, true);
  const caller = connectGrpc(right);
  serveGrpc(left, []);
  await caller.ask(sessionMethods.health, { service: '' });
  left.destroy();
  await caller.closed;
});

test('a connection inside TLS serves as well as a plain one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'buildkit-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  makeCertificates(directory);
  const read = (name: string) => readFileSync(join(directory, name));
  const server = createTlsServer({ cert: read('server.pem'), key: read('server-key.pem') }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const left = connectTls({ port, host: '127.0.0.1', ca: read('ca.pem') });
  const [right] = (await once(server, 'secureConnection')) as [Socket];
  t.after(() => server.close());
  const serving = serveGrpc(left, []);
  const caller = connectGrpc(right);
  assert.deepEqual(await caller.ask(sessionMethods.health, { service: '' }), { status: 1 });
  caller.close();
  await Promise.all([caller.closed, serving.closed]);
});

test('an end that speaks no HTTP/2 is hung up on', async (t) => {
  const [left, right] = await socketPair(t);
  const serving = serveGrpc(right, []);
  left.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  left.resume();
  await serving.closed;

  const [near, far] = await socketPair(t);
  const caller = connectGrpc(near);
  const asked = assert.rejects(caller.ask(shout, 'x'), kind('unavailable'));
  far.write('HTTP/1.1 400 Bad Request\r\n\r\nwhat is this, it is no preface of any frame that is known'.repeat(10));
  await asked;
  await caller.closed;
});

/** What a call by hand is answered with: HTTP status and gRPC status. */
async function rawCall(session: ClientHttp2Session, headers: Record<string, string>, body: Buffer) {
  const stream = session.request({ ':method': 'POST', ':path': shout.path, ...headers });
  const answer: Record<string, unknown> = {};
  stream.on('response', (given) => Object.assign(answer, { http: given[':status'] }));
  stream.on('trailers', (given) => Object.assign(answer, { grpc: given['grpc-status'], text: given['grpc-message'] }));
  stream.on('error', () => undefined);
  stream.resume();
  stream.end(body);
  await once(stream, 'close');
  return answer;
}

test('half, compressed and oversized messages, and what is no gRPC, are refused one by one', async (t) => {
  const [left, right] = await socketPair(t);
  serveGrpc(right, [answering(shout, (question) => Promise.resolve(question))]);
  const session = connectHttp2('http://x', { createConnection: () => left });
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  const grpc = { 'content-type': 'application/grpc' };
  const whole = frame(Buffer.from('abc'));
  assert.deepEqual(await rawCall(session, { 'content-type': 'text/html' }, whole), { http: 415 });
  assert.equal((await rawCall(session, grpc, whole.subarray(0, 6))).grpc, '3');
  assert.equal((await rawCall(session, grpc, Buffer.alloc(0))).grpc, '3');
  assert.equal((await rawCall(session, grpc, Buffer.from([1, 0, 0, 0, 0]))).grpc, '3');
  assert.equal((await rawCall(session, grpc, Buffer.from([0, 255, 255, 255, 255]))).grpc, '3');
  assert.equal((await rawCall(session, grpc, whole)).grpc, '0');
});
