import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { conflict, currentActor } from '#base';
import type { ContainerRequest, Exec } from '#engine';
import { findDockerCli } from '#testkit';
import { FakeAttachment, startTestServer } from './testing/fake-ports.ts';
import { sampleContainer } from './testing/sample-container.ts';

const run = promisify(execFile);

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function ask(
  socketPath: string,
  path: string,
  options: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...options.headers,
    };
    const sent = request({ socketPath, path, method: options.method ?? 'GET', headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** Sends bytes and returns all that came back once the server has closed. */
async function raw(socketPath: string, bytes: string, options: { halfClose?: boolean } = {}): Promise<Buffer> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(bytes);
  if (options.halfClose ?? true) socket.end();
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(chunks);
}

const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
const frame = (stream: number, text: string) =>
  Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]).toString('latin1');

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

describe('attach and exec', () => {
  const output = [
    { stream: 'stdout' as const, data: Buffer.from('out\n') },
    { stream: 'stderr' as const, data: Buffer.from('err\n') },
  ];

  it('upgrades the connection and frames the output', async () => {
    await using api = await startTestServer({ containers: { attach: async () => new FakeAttachment(output) } });
    const path = '/v1.51/containers/web/attach?stream=1&stdout=1&stderr=1';
    const answer = (await raw(api.path, `POST ${path} HTTP/1.1\r\n${upgrade}\r\n`)).toString('latin1');
    assert.equal(
      answer,
      'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n' +
        `Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n${frame(1, 'out\n')}${frame(2, 'err\n')}`,
    );
  });

  it('streams under a plain 200 when no upgrade is asked, and only the streams that are', async () => {
    await using api = await startTestServer({ containers: { attach: async () => new FakeAttachment(output) } });
    const path = '/containers/web/attach?stream=1&stderr=1';
    const answer = (await raw(api.path, `POST ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, { halfClose: false })).toString(
      'latin1',
    );
    assert.equal(
      answer,
      `HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n${frame(2, 'err\n')}`,
    );
  });

  it('passes input on until the client closes its half', async () => {
    const cat = new FakeAttachment([], { cat: true });
    await using api = await startTestServer({ containers: { attach: async () => cat } });
    const path = '/containers/web/attach?stream=1&stdin=1&stdout=1';
    const answer = (await raw(api.path, `POST ${path} HTTP/1.1\r\n${upgrade}\r\nhello`)).toString('latin1');
    assert.equal(answer.split('\r\n\r\n')[1], frame(1, 'hello'));
    assert.equal(cat.closed, true);
  });

  it('detaches from a terminal on the detach keys', async () => {
    const cat = new FakeAttachment([], { cat: true });
    const container = sampleContainer();
    const tty = { ...container, process: { ...container.process, tty: true } };
    await using api = await startTestServer({ containers: { attach: async () => cat, get: async () => tty } });
    const path = '/containers/web/attach?stream=1&stdin=1&stdout=1';
    const head = `POST ${path} HTTP/1.1\r\n${upgrade}\r\n`;
    await raw(api.path, `${head}ab\u0010\u0011`, { halfClose: false });
    assert.equal(Buffer.concat(cat.input).toString(), 'ab');
    assert.deepEqual([cat.closed, cat.detached], [true, true]);
  });

  it('answers a failed attach in plain text', async () => {
    await using api = await startTestServer();
    const answer = (await raw(api.path, `POST /containers/nope/attach HTTP/1.1\r\n${upgrade}\r\n`)).toString();
    assert.match(answer, /^HTTP\/1.1 404 Not Found\r\n/);
    assert.match(answer, /No such container: nope\r\n$/);
  });

  it('serves a request whose client would also take another protocol', async () => {
    await using api = await startTestServer();
    const answer = (
      await raw(
        api.path,
        'GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n',
      )
    ).toString();
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
    assert.match(answer, /\r\n\r\nOK$/);
  });

  it('takes plain bytes after the request as input when no upgrade is asked', async () => {
    const cat = new FakeAttachment([], { cat: true });
    await using api = await startTestServer({ containers: { attach: async () => cat } });
    const socket = connect({ path: api.path, allowHalfOpen: true });
    socket.write('POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n');
    const [head] = await once(socket, 'data');
    assert.match(String(head), /^HTTP\/1.1 200 OK\r\n/);
    socket.end('typed');
    const [answer] = await once(socket, 'data');
    assert.equal(String(answer), frame(1, 'typed'));
    await once(socket, 'end');
  });

  it('takes a chunked body as input', async () => {
    const cat = new FakeAttachment([], { cat: true });
    await using api = await startTestServer({ containers: { attach: async () => cat } });
    const head = 'POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n';
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n5\r\ntyped\r\n0\r\n\r\n`;
    const answer = (await raw(api.path, chunked, { halfClose: false })).toString('latin1');
    assert.equal(answer.split('\r\n\r\n')[1], frame(1, 'typed'));
  });

  it('reads the body of an upgrade that comes later than its headers', async () => {
    const cat = new FakeAttachment([], { cat: true });
    await using api = await startTestServer({ execs: { get: async () => sampleExec(), start: async () => cat } });
    const socket = connect({ path: api.path, allowHalfOpen: true });
    socket.write(
      `POST /exec/e1/start HTTP/1.1\r\n${upgrade}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n`,
    );
    // The server has nothing to say before the body is there: only its own turn of the loop tells that it waits.
    await new Promise((resolve) => setImmediate(resolve));
    socket.write('{');
    await new Promise((resolve) => setImmediate(resolve));
    socket.write('}later');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).includes('later')) socket.end();
    });
    await once(socket, 'end');
    assert.equal(Buffer.concat(chunks).toString('latin1').split('\r\n\r\n')[1], frame(1, 'later'));
  });

  it('does not read output that the client does not take', async () => {
    let produced = 0;
    const endless = new FakeAttachment([]);
    const flood = async function* () {
      for (;;) {
        produced++;
        yield { stream: 'stdout' as const, data: Buffer.alloc(64 * 1024) };
      }
    };
    await using api = await startTestServer({
      containers: { attach: async () => Object.assign(endless, { output: flood() }) },
    });
    const socket = connect(api.path);
    socket.pause();
    socket.write(`POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\n${upgrade}\r\n`);
    // The kernel's buffers and Node's hold far less than 64 MiB; a server that ignored them would never stop.
    await once(socket, 'readable');
    for (let last = -1; last !== produced; ) {
      last = produced;
      await ask(api.path, '/_ping');
    }
    assert.ok(produced < 1000, `${produced} chunks were read ahead`);
    socket.destroy();
  });

  it('starts an exec over an upgrade that carries a body', async () => {
    const cat = new FakeAttachment([], { cat: true });
    const exec = sampleExec();
    const started: unknown[] = [];
    await using api = await startTestServer({
      execs: {
        get: async () => exec,
        start: async (_id, options) => {
          started.push(options);
          return cat;
        },
      },
    });
    const body = '{"Detach":false,"Tty":false}';
    const head = `POST /v1.51/exec/e1/start HTTP/1.1\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = (await raw(api.path, `${head}${body}input`)).toString('latin1');
    assert.match(answer, /^HTTP\/1.1 101 UPGRADED\r\n/);
    assert.match(answer, /\r\nApi-Version: 1.51\r\n/);
    assert.equal(answer.split('\r\n\r\n')[1], frame(1, 'input'));
    assert.deepEqual(started, [{ detach: false, tty: false }]);
  });
});

function sampleExec(): Exec {
  return {
    id: 'e1',
    containerId: 'c',
    request: {
      container: 'c',
      cmd: ['cat'],
      env: [],
      workingDir: '',
      user: '',
      privileged: false,
      tty: false,
      attachStdin: true,
      attachStdout: true,
      attachStderr: true,
    },
    running: false,
    exitCode: 0,
    pid: 5,
  };
}

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

describe('the docker command line as a client', () => {
  const docker = async (host: string, ...args: string[]) => {
    const { stdout } = await run('docker', ['-H', host, ...args], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent' },
    });
    return stdout;
  };

  it('reads version, info, ps and inspect', async () => {
    await using api = await startTestServer();
    assert.equal(
      (await docker(api.host, 'version', '--format', '{{.Server.Version}} {{.Server.APIVersion}}')).trim(),
      '0.1.0 1.51',
    );
    assert.match(
      await docker(api.host, 'info', '--format', '{{.ContainersRunning}} {{.DriverStatus}}'),
      /^1 \[\[Backing/,
    );
    const format = '{{.Names}} {{.Command}} {{.Ports}} {{.State}}';
    assert.equal(
      (await docker(api.host, 'ps', '--format', format)).trim(),
      // Clients before 26 write IPv6 addresses without brackets.
      `web "sleep 60" 81/tcp, 0.0.0.0:18080->80/tcp, ${findDockerCli().major < 26 ? '::' : '[::]'}:18080->80/tcp running`,
    );
    assert.equal(
      (await docker(api.host, 'inspect', '-f', '{{.NetworkSettings.IPAddress}} {{.State.Pid}}', 'web')).trim(),
      '172.31.0.2 4242',
    );
  });

  it('shows logs, both streams apart', async () => {
    await using api = await startTestServer({
      containers: {
        logs: async () =>
          (async function* () {
            const time = '2026-11-21T02:17:48.7816+00:00';
            yield [{ stream: 'stdout' as const, time, text: Buffer.from('one'), partial: false }];
            yield [
              { stream: 'stderr' as const, time: '2026-11-21T02:17:48Z', text: Buffer.from('two'), partial: false },
            ];
          })(),
      },
    });
    const { stdout, stderr } = await run('docker', ['-H', api.host, 'logs', '-t', 'web']);
    assert.equal(stdout, '2026-11-21T02:17:48.781600000Z one\n');
    assert.equal(stderr, '2026-11-21T02:17:48.000000000Z two\n');
  });

  it('executes a command with input and reports its exit code', async () => {
    await using api = await startTestServer({
      execs: {
        create: async () => 'e1',
        get: async () => ({ ...sampleExec(), exitCode: 7 }),
        start: async () => new FakeAttachment([], { cat: true }),
      },
    });
    const child = spawn('docker', ['-H', api.host, 'exec', '-i', 'web', 'cat']);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.end('through');
    const [code] = await once(child, 'close');
    assert.equal(Buffer.concat(chunks).toString(), 'through');
    assert.equal(code, 7);
  });
});
