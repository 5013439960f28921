import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { conflict, currentActor } from '#base';
import type { ContainerRequest } from '#engine';
import { startTestServer } from './testing/fake-ports.ts';
import { ask } from './testing/wire.ts';

const run = promisify(execFile);

describe('the API server', () => {
  it('listens on a unix socket that only its group may use', async () => {
    await using api = await startTestServer();
    assert.equal((await stat(api.path)).mode & 0o777, 0o660);
  });

  it('answers ping with the headers that clients negotiate by', async () => {
    await using api = await startTestServer();
    const { status, body, headers } = await ask(api.path, '/_ping');
    assert.deepEqual([status, body], [200, 'OK']);
    assert.equal(headers['api-version'], '1.51');
    assert.equal(headers['docker-experimental'], 'false');
    assert.equal(headers.ostype, 'linux');
    assert.equal(headers.swarm, 'inactive');
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    const head = await ask(api.path, '/_ping', { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers['content-length']], [200, '0']);
  });

  it('refuses unknown routes and versions in Docker words', async () => {
    await using api = await startTestServer();
    const texts = async (path: string) => {
      const { status, body } = await ask(api.path, path);
      return [status, JSON.parse(body).message];
    };
    assert.deepEqual(await texts('/v1.51/nope'), [404, 'page not found']);
    assert.deepEqual(await texts('/vabc/info'), [404, 'page not found']);
    assert.deepEqual(await texts('/v1.99/info'), [
      400,
      'client version 1.99 is too new. Maximum supported API version is 1.51',
    ]);
    assert.deepEqual(await texts('/v1.23/info'), [
      400,
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ]);
    assert.equal((await texts('/v1.51/services'))[0], 503);
    assert.deepEqual(await texts('/containers/nope/json'), [404, 'No such container: nope']);
  });

  it('blames the client for a malformed URL', async () => {
    await using api = await startTestServer();
    assert.equal((await ask(api.path, '/containers/%zz/json')).status, 400);
  });

  it('takes bodies of any content type where it does not matter', async () => {
    const lengths: number[] = [];
    await using api = await startTestServer({
      containers: {
        writeArchive: async (_name, _path, archive) => {
          lengths.push((await archive.toArray()).join('').length);
        },
      },
    });
    for (const headers of [{}, { 'Content-Type': 'tar' }, { 'Content-Type': 'application/x-tar' }]) {
      const sent = request({
        socketPath: api.path,
        path: '/containers/web/archive?path=/',
        method: 'PUT',
        headers,
      }).end('tar');
      const [answer] = await once(sent, 'response');
      answer.resume();
      assert.equal(answer.statusCode, 200, JSON.stringify(headers));
    }
    assert.deepEqual(lengths, [3, 3, 3]);
  });

  it('takes image names with slashes', async () => {
    const asked: string[] = [];
    await using api = await startTestServer({
      images: {
        history: async (name) => {
          asked.push(name);
          return [];
        },
        remove: async (name) => {
          asked.push(name);
          return [];
        },
      },
    });
    await ask(api.path, '/v1.51/images/localhost:5000/a/b:1/history');
    await ask(api.path, '/images/localhost:5000/a/b@sha256:1?force=1', { method: 'DELETE' });
    assert.deepEqual(asked, ['localhost:5000/a/b:1', 'localhost:5000/a/b@sha256:1']);
  });

  it('runs handlers in the name of the caller', async () => {
    let seen: unknown;
    await using api = await startTestServer(
      {
        containers: {
          kill: async () => {
            seen = currentActor();
          },
        },
      },
      { peerCredentials: () => ({ uid: 7, pid: 8 }) },
    );
    await ask(api.path, '/containers/web/kill', { method: 'POST', headers: { 'User-Agent': 'tester' } });
    assert.deepEqual(seen, { via: 'api', uid: 7, pid: 8, agent: 'tester' });
  });

  it('turns a create request into the domain request', async () => {
    let made: ContainerRequest | undefined;
    await using api = await startTestServer({
      containers: {
        create: async (wanted) => {
          made = wanted;
          return { id: 'x', warnings: [] };
        },
      },
    });
    const body = JSON.stringify({
      image: 'busybox',
      Cmd: 'true',
      Env: null,
      HostConfig: { Binds: ['/a:/b:ro'] },
      Foo: 1,
    });
    const answer = await ask(api.path, '/containers/create?name=/db1', { method: 'POST', body });
    assert.equal(answer.status, 201);
    assert.deepEqual(JSON.parse(answer.body), { Id: 'x', Warnings: [] });
    assert.equal(made?.name, 'db1');
    assert.deepEqual(made?.process.cmd, ['true']);
    assert.equal(made?.process.entrypoint, undefined);
    assert.equal(made?.host.mounts[0]?.readonly, true);
  });

  it('refuses malformed bodies in the words of the Go decoder', async () => {
    await using api = await startTestServer();
    const message = async (body: string, headers?: Record<string, string>) => {
      const answer = await ask(api.path, '/containers/create', {
        method: 'POST',
        body,
        ...(headers ? { headers } : {}),
      });
      return [answer.status, JSON.parse(answer.body).message];
    };
    assert.deepEqual(await message('{"Image":5}'), [
      400,
      'invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string',
    ]);
    assert.deepEqual(await message('{"Image":"a","HostConfig":{"Memory":"5m"}}'), [
      400,
      'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64',
    ]);
    assert.deepEqual(await message('x', { 'Content-Type': 'text/plain' }), [
      400,
      "unsupported Content-Type header (text/plain): must be 'application/json'",
    ]);
    assert.match(String((await message(JSON.stringify({ Image: 'x'.repeat(9 << 20) })))[1]), /too large/);
  });

  it('sends the headers of a wait before the container has ended', async () => {
    let finish: (result: { exitCode: number }) => void = () => undefined;
    await using api = await startTestServer({
      containers: {
        wait: (_name, _condition, { registered }) => {
          registered();
          return new Promise((resolve) => {
            finish = resolve;
          });
        },
      },
    });
    const sent = request({ socketPath: api.path, path: '/containers/web/wait', method: 'POST' }).end();
    const [answer] = await once(sent, 'response');
    finish({ exitCode: 3 });
    const [chunk] = await once(answer, 'data');
    assert.deepEqual(JSON.parse(String(chunk)), { StatusCode: 3 });
  });

  it('cancels a wait when its client goes', async () => {
    let aborted: Promise<unknown> = Promise.resolve();
    await using api = await startTestServer({
      containers: {
        wait: async (_name, _condition, { registered, signal }) => {
          aborted = once(signal, 'abort');
          registered();
          await aborted;
          throw new Error('gone');
        },
      },
    });
    const sent = request({ socketPath: api.path, path: '/containers/web/wait', method: 'POST' }).end();
    sent.on('error', () => undefined);
    const [answer] = await once(sent, 'response');
    answer.on('error', () => undefined);
    sent.destroy();
    await aborted;
  });

  it('answers 304 without a body where nothing changes, and 409 for a conflict', async () => {
    const { notModified } = await import('#base');
    await using api = await startTestServer({
      containers: {
        start: async () => {
          throw notModified('running');
        },
        rename: async () => {
          throw conflict('taken');
        },
      },
    });
    const started = await ask(api.path, '/containers/web/start', { method: 'POST' });
    assert.deepEqual([started.status, started.body], [304, '']);
    assert.equal((await ask(api.path, '/containers/web/rename?name=abc', { method: 'POST' })).status, 409);
  });
});

describe('listening', () => {
  it('works over TCP and lets the kernel choose the port', async () => {
    await using api = await startTestServer();
    const { port = 0 } = await api.server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const answer = await fetch(`http://127.0.0.1:${port}/_ping`);
    assert.equal(await answer.text(), 'OK');
  });

  it('replaces a socket that nobody answers on, but not a daemon that does', async () => {
    await using api = await startTestServer();
    await assert.rejects(api.server.listen({ kind: 'unix', path: api.path }), { kind: 'conflict' });
    const stale = `${api.path}.stale`;
    const script = `require('node:net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await run(process.execPath, ['-e', script]).catch(() => undefined);
    await api.server.listen({ kind: 'unix', path: stale });
    assert.equal((await ask(stale, '/_ping')).body, 'OK');
  });
});
