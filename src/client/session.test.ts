import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { isBerthError } from '#base';
import { connectGrpc, type GrpcCaller, packetType, sessionMethods } from '#buildkit';
import { Client } from './client.ts';
import { parseEndpoint } from './endpoint.ts';
import type { SessionOffer } from './session.ts';

const nothing: SessionOffer = {
  sharedKey: 'key',
  directories: new Map(),
  secrets: new Map(),
  agents: new Map(),
  credentials: async () => undefined,
};

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'client-session-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A session as an engine sees it: the headers it came with, and the end that calls. */
async function open(t: TestContext, offer: Partial<SessionOffer>) {
  const path = join(temporary(t), 's.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const client = new Client(parseEndpoint(`unix://${path}`));
  const taken = once(server, 'upgrade') as Promise<[{ headers: IncomingHttpHeaders; rawHeaders: string[] }, Duplex]>;
  const opening = client.openSession({ ...nothing, ...offer });
  const [request, connection] = await taken;
  connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  const caller = connectGrpc(connection);
  const session = await opening;
  t.after(() => {
    session.close();
    caller.close();
    client.close();
    server.close();
  });
  return { session, caller, request };
}

const kind = (wanted: string) => (error: unknown) => isBerthError(error) && error.kind === wanted;

const secret = (caller: GrpcCaller, ID: string) => caller.ask(sessionMethods.getSecret, { ID });

test('a session says who it is and which methods it answers, and only those of what is offered', async (t) => {
  const { session, request } = await open(t, { secrets: new Map([['x', async () => Buffer.from('1')]]) });
  assert.equal(request.headers.upgrade, 'h2c');
  assert.equal(request.headers['x-docker-expose-session-uuid'], session.id);
  assert.equal(request.headers['x-docker-expose-session-sharedkey'], 'key');
  const methods = request.rawHeaders.filter((_, index, all) => /grpc-method$/i.test(all[index - 1] ?? ''));
  assert.deepEqual(methods, [
    '/grpc.health.v1.Health/Check',
    '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    '/moby.filesync.v1.Auth/Credentials',
  ]);
});

test('secrets are given by id; those not there, and those too large, are refused', async (t) => {
  const { caller } = await open(t, {
    secrets: new Map<string, () => Promise<Uint8Array | undefined>>([
      ['token', async () => Buffer.from('sesame')],
      ['none', async () => undefined],
      ['large', async () => Buffer.alloc(500 * 1024 + 1)],
    ]),
  });
  assert.equal(Buffer.from((await secret(caller, 'token')).data).toString(), 'sesame');
  await assert.rejects(secret(caller, 'none'), kind('not-found'));
  await assert.rejects(secret(caller, 'other'), kind('not-found'));
  await assert.rejects(secret(caller, 'large'), kind('invalid'));
});

test('logins are given by host, an empty one where there is none', async (t) => {
  const { caller } = await open(t, {
    credentials: async (host) => (host === 'r.example' ? { username: 'me', secret: 'pw' } : undefined),
  });
  const ask = (Host: string) => caller.ask(sessionMethods.credentials, { Host });
  assert.deepEqual({ ...(await ask('r.example')) }, { Username: 'me', Secret: 'pw' });
  assert.deepEqual({ ...(await ask('other')) }, { Username: '', Secret: '' });
});

test('files of the directories offered are listed, as the patterns say, and of no others', async (t) => {
  const directory = temporary(t);
  mkdirSync(join(directory, 'a'));
  for (const name of ['a/b', 'c', 'grün.txt']) writeFileSync(join(directory, name), '');
  const { caller } = await open(t, { directories: new Map([['context', directory]]) });
  const list = async (metadata: Record<string, string[]>): Promise<string[]> => {
    const stream = caller.open(sessionMethods.sendFiles, { metadata });
    const paths: string[] = [];
    for await (const { type, stat } of stream.received) {
      if (type === packetType.finished) break;
      if (stat?.path) paths.push(stat.path);
      else await stream.send({ type: packetType.finished, ID: 0, data: new Uint8Array(0) });
    }
    stream.end();
    return paths;
  };
  assert.deepEqual(await list({ 'dir-name': ['context'], 'exclude-patterns': ['a/b', 'c'] }), ['a', 'grün.txt']);
  const encoded = { 'include-patterns': ['gr%C3%BCn.txt'], 'include-patterns-encoded': ['1'] };
  assert.deepEqual(await list({ 'dir-name': ['context'], ...encoded }), ['grün.txt']);
  await assert.rejects(list({ 'dir-name': ['/etc'] }), {
    kind: 'not-found',
    message: /no access allowed to dir "\/etc"/,
  });
});

test('an agent is asked for keys and signatures only, one question at a time', async (t) => {
  const path = join(temporary(t), 'agent');
  const asked: number[] = [];
  const agent = createSocketServer((socket) => {
    socket.on('data', (data) => {
      asked.push(data.readUInt8(4));
      socket.write(Buffer.from([0, 0, 0, 5, 12, 0]));
      socket.write(Buffer.from([0, 0, 0]));
    });
  }).listen(path);
  t.after(() => agent.close());
  const { caller } = await open(t, {
    agents: new Map([
      ['default', path],
      ['gone', `${path}.gone`],
    ]),
  });
  await caller.ask(sessionMethods.checkAgent, { ID: 'default' });
  await caller.ask(sessionMethods.checkAgent, { ID: '' });
  await assert.rejects(caller.ask(sessionMethods.checkAgent, { ID: 'other' }), kind('not-found'));
  const stream = caller.open(sessionMethods.forwardAgent, { metadata: { 'buildkit.ssh.id': ['default'] } });
  const answers: number[] = [];
  // The first question comes in two parts, the second and third together; 19 asks for the removal of all keys.
  for (const part of [
    [0, 0, 0],
    [1, 11],
    [0, 0, 0, 1, 19, 0, 0, 0, 1, 11],
  ])
    await stream.send({ data: Buffer.from(part) });
  for await (const { data } of stream.received) {
    answers.push(data[4] ?? 0);
    if (answers.length === 3) stream.end();
  }
  assert.deepEqual(answers, [12, 5, 12]);
  assert.deepEqual(asked, [11, 11]);
  const dead = caller.open(sessionMethods.forwardAgent, { metadata: { 'buildkit.ssh.id': ['gone'] } });
  await assert.rejects(async () => {
    for await (const _ of dead.received);
  }, kind('unavailable'));
});

test('closing a session ends its connection, and so does the engine’s end', async (t) => {
  const one = await open(t, {});
  one.session.close();
  await one.caller.closed;
  const other = await open(t, {});
  other.caller.close();
  await other.session.closed;
});

test('an engine without sessions says so', async (t) => {
  const path = join(temporary(t), 's.sock');
  const server = createServer((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"page not found"}');
  }).listen(path);
  await once(server, 'listening');
  const client = new Client(parseEndpoint(`unix://${path}`));
  t.after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  await assert.rejects(client.openSession(nothing), kind('not-found'));
});
