import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { FakeAttachment, startTestServer } from './testing/fake-ports.ts';
import { sampleContainer } from './testing/sample-container.ts';
import { sampleExec } from './testing/sample-exec.ts';
import { ask, frame, raw, upgrade } from './testing/wire.ts';

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
