import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { extract } from 'tar-stream';
import { BerthError, notFound } from '#base';
import type { Builder, BuildRequest } from '#builder';
import { answering, decodeTrace, type Handler, serveGrpc, sessionMethods, streaming } from '#buildkit';
import { startTestServer } from '../../testing/fake-ports.ts';
import { filesHandler, upgrade } from '../../testing/session-client.ts';
import { ask, raw } from '../../testing/wire.ts';

const imageId = `sha256:${'1'.repeat(64)}` as const;

const handlers = (calls: unknown[] = []): Handler[] => [
  filesHandler(
    {
      dockerfile: { Dockerfile: 'FROM x\n' },
      context: { '.dockerignore': 'no\n!no/yes\n', a: 'aa', 'd/': '', 'd/b': 'b' },
      extra: { e: 'e' },
    },
    calls,
  ),
  answering(sessionMethods.getSecret, ({ ID }) =>
    ID === 's' ? Promise.resolve({ data: Buffer.from('sesame') }) : Promise.reject(notFound('no such secret')),
  ),
  answering(sessionMethods.checkAgent, ({ ID }) =>
    ID === 'default' ? Promise.resolve({}) : Promise.reject(new Error('unset ssh forward key')),
  ),
  streaming(sessionMethods.forwardAgent, async (stream) => {
    for await (const { data } of stream.received) {
      await stream.send({ data: Buffer.from(Buffer.from(data).toString().toUpperCase()) });
    }
  }),
  answering(sessionMethods.credentials, ({ Host }) =>
    Promise.resolve(Host === 'registry-1.docker.io' ? { Username: 'ann', Secret: 'pw' } : { Username: '', Secret: '' }),
  ),
];

interface Line {
  readonly id?: string;
  readonly aux?: unknown;
  readonly stream?: string;
  readonly error?: string;
}

const linesOf = (body: string): Line[] =>
  body
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

async function drain(request: BuildRequest): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const entry of request.context.pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    files[entry.header.name] = Buffer.concat(chunks).toString();
  }
  return files;
}

describe('a build in a session', () => {
  let server: Awaited<ReturnType<typeof startTestServer>>;
  let run: Builder['build'];
  before(async () => {
    server = await startTestServer({ builder: { build: (asked) => run(asked) } });
  });
  after(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    run = () => Promise.resolve({ imageId });
  });

  const openSession = async (id: string, answers: readonly Handler[] = handlers()): Promise<Socket> => {
    const socket = await upgrade(server.path, '/session', { 'x-docker-expose-session-uuid': id });
    serveGrpc(socket, answers);
    return socket;
  };
  const build = (query: string, options: { body?: string } = {}) =>
    ask(server.path, `/build?version=2&${query}`, { method: 'POST', ...options });

  test('takes Dockerfile and context from it, without what the ignore file leaves out', async () => {
    const calls: Record<string, unknown>[] = [];
    const session = await openSession('files', handlers(calls));
    let files: unknown;
    let asked: BuildRequest | undefined;
    run = async (given) => {
      asked = given;
      files = await drain(given);
      return { imageId };
    };
    const answer = await build('remote=client-session&session=files&t=x');
    assert.deepEqual(files, { '.dockerignore': 'no\n!no/yes\n', a: 'aa', 'd/': '', 'd/b': 'b' });
    assert.deepEqual(asked?.recipe, { text: 'FROM x\n', ignore: 'no\n!no/yes\n' });
    assert.deepEqual(asked?.tags, ['x:latest']);
    assert.deepEqual(calls[0]?.['dir-name'], ['dockerfile']);
    assert.deepEqual(calls[2]?.['exclude-patterns'], ['no', '!no/yes']);
    const lines = linesOf(answer.body);
    assert.deepEqual(lines.at(-1), { id: 'moby.image.id', aux: { ID: imageId } });
    const names = lines
      .filter(({ id }) => id === 'moby.buildkit.trace')
      .flatMap(({ aux }) => decodeTrace(Buffer.from(String(aux), 'base64')).vertexes.map(({ name }) => name));
    assert.deepEqual(
      [...new Set(names)],
      [
        '[internal] load build definition from Dockerfile',
        '[internal] load .dockerignore',
        '[internal] load build context',
      ],
    );
    session.destroy();
  });

  test('asks it for secrets, agents, logins and named contexts', async () => {
    const session = await openSession('things');
    const { signal } = new AbortController();
    const seen: Record<string, unknown> = {};
    run = async (given) => {
      assert.equal(await given.secrets?.get('other', signal), undefined);
      seen.secret = Buffer.from((await given.secrets?.get('s', signal)) ?? []).toString();
      seen.agents = [await given.agents?.has('default', signal), await given.agents?.has('x', signal)];
      const agent = await given.agents?.connect('default', signal);
      agent?.write('who is there');
      seen.agent = String((await once(agent ?? process, 'data'))[0]);
      agent?.destroy();
      seen.logins = [await given.login?.('docker.io'), await given.login?.('example.com')];
      const { tree, image } = given.contexts ?? {};
      seen.image = image;
      if (tree?.kind === 'tree') seen.tree = await drain({ ...given, context: await tree.read(signal) });
      return { imageId };
    };
    const named = JSON.stringify({ tree: 'local:extra', image: 'docker-image://busybox' });
    const { body } = await build(`session=things&namedcontexts=${encodeURIComponent(named)}`, { body: '' });
    assert.equal(linesOf(body).at(-1)?.id, 'moby.image.id', body);
    assert.deepEqual(seen, {
      secret: 'sesame',
      agents: [true, false],
      agent: 'WHO IS THERE',
      logins: [{ username: 'ann', password: 'pw' }, undefined],
      image: { kind: 'image', reference: 'busybox' },
      tree: { e: 'e' },
    });
    session.destroy();
  });

  test('several builds share one, and end with it', async () => {
    const session = await openSession('shared');
    let waiting = 0;
    run = async ({ signal }) => {
      if (++waiting === 2) session.destroy();
      await once(signal, 'abort');
      throw notFound('the session ended');
    };
    const answers = await Promise.all([1, 2].map(() => build('session=shared', { body: '' })));
    for (const { body } of answers) assert.match(body, /the session ended/);
  });

  test('waits for a session that is not there yet', async () => {
    const answer = build('session=soon&remote=client-session');
    const session = await openSession('soon');
    assert.match((await answer).body, /moby.image.id/);
    session.destroy();
  });

  test('ends when it is canceled by its id', async () => {
    run = async ({ signal }) => {
      const canceled = await ask(server.path, '/build/cancel?id=b1', { method: 'POST' });
      assert.equal(canceled.status, 204);
      assert.ok(signal.aborted);
      throw notFound('canceled');
    };
    assert.equal((await build('buildid=b1', { body: '' })).status, 404);
    assert.equal((await ask(server.path, '/build/cancel?id=b1', { method: 'POST' })).status, 204);
    assert.equal((await ask(server.path, '/build/cancel', { method: 'POST' })).status, 400);
  });

  test('takes a context that another request uploads, whichever comes first', async () => {
    run = async ({ context }) => {
      const chunks: Buffer[] = [];
      for await (const chunk of context) chunks.push(chunk as Buffer);
      throw notFound(`got ${Buffer.concat(chunks).toString()}`);
    };
    for (const id of ['early', 'late']) {
      const upload = () => build(`buildid=upload-request:${id}&remote=upload-request`, { body: 'bytes' });
      const use = () => build(`buildid=${id}&remote=upload-request`);
      const [one, two] = id === 'early' ? [upload, use] : [use, upload];
      const bodies = (await Promise.all([one(), two()])).map(({ status, body }) => `${status} ${body}`).sort();
      assert.match(bodies[1] ?? '', /^404 .*got bytes/);
      assert.match(bodies[0] ?? '', /^200 $/);
    }
  });

  test('quiet: nothing but the id', async () => {
    assert.deepEqual(linesOf((await build('q=1', { body: '' })).body), [{ stream: `${imageId}\n` }]);
  });

  test('a failed RUN is told in the words of BuildKit', async () => {
    run = () => Promise.reject(new BerthError('invalid', 'x', { details: { command: '/bin/sh -c no', code: 2 } }));
    const { body } = await build('t=x', { body: '' });
    assert.match(body, /process \\"\/bin\/sh -c no\\" did not complete successfully: exit code: 2/);
  });

  test('what cannot be done is refused by name', async () => {
    const output = (list: unknown) => build(`outputs=${encodeURIComponent(JSON.stringify(list))}`, { body: '' });
    assert.match((await output([{ Type: 'oci', Attrs: { dest: 'x' } }])).body, /output of type oci/);
    assert.match((await output([{ Type: 'tar' }])).body, /output of type tar needs a session/);
    assert.match((await output([{ Type: 'moby' }, { Type: 'moby' }])).body, /multiple outputs not supported/);
    assert.match((await output({})).body, /error reading outputs/);
    assert.match((await build('remote=client-session')).body, /could not access local files without session/);
    const named = encodeURIComponent(JSON.stringify({ a: 'oci-layout://x' }));
    assert.match((await build(`namedcontexts=${named}`)).body, /build context a: oci-layout:/);
  });

  test('an image output names the image', async () => {
    let tags: readonly string[] = [];
    run = (given) => {
      tags = given.tags;
      return Promise.resolve({ imageId });
    };
    const list = [{ Type: 'image', Attrs: { name: 'a,b:1' } }];
    await build(`t=a&outputs=${encodeURIComponent(JSON.stringify(list))}`, { body: '' });
    assert.deepEqual(tags, ['a:latest', 'b:1']);
  });

  test('a client that speaks no HTTP/2 loses its session, and the build that waits for it fails', async () => {
    const headers = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nX-Docker-Expose-Session-Uuid: nonsense\r\n\r\n';
    const waiting = build('session=nonsense&remote=client-session');
    const bytes = await raw(server.path, `POST /session HTTP/1.1\r\n${headers}${'this is no frame at all '.repeat(9)}`);
    assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match((await waiting).body, /the connection is closed|no active session/);
    (await openSession('nonsense')).destroy();
  });

  test('a session wants h2c and an id that is free', async () => {
    const open = async (headers: Record<string, string>) => {
      const { status, body } = await ask(server.path, '/session', { method: 'POST', headers });
      return [status, (JSON.parse(body) as { message: string }).message];
    };
    assert.deepEqual(await open({}), [400, 'no upgrade proto in request']);
    const upgrade = { connection: 'Upgrade', upgrade: 'tcp' };
    assert.deepEqual(await open(upgrade), [400, 'protocol tcp not supported']);
    const session = await openSession('taken');
    const again = { connection: 'Upgrade', upgrade: 'h2c', 'x-docker-expose-session-uuid': 'taken' };
    assert.deepEqual(await open(again), [409, 'session taken already exists']);
    session.destroy();
  });
});
