import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ApiError, ConnectError } from './api-error.ts';
import { Client } from './client.ts';
import { demultiplex } from './demultiplex.ts';
import { parseEndpoint } from './endpoint.ts';
import { jsonLines } from './json-lines.ts';

async function withServer(
  listener: RequestListener,
  body: (client: Client, server: Server) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'client-'));
  const server = createServer(listener);
  server.listen(join(directory, 's.sock'));
  await once(server, 'listening');
  const client = new Client(parseEndpoint(`unix://${join(directory, 's.sock')}`));
  try {
    await body(client, server);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  }
}

function frame(stream: number, content: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

test('frames reach their stream however they are cut', async () => {
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, ' more')]);
  for (const size of [1, 3, 9, bytes.length]) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    await demultiplex(Readable.from(pieces), { stdout, stderr });
    stdout.end();
    stderr.end();
    assert.equal(await text(stdout), 'out more');
    assert.equal(await text(stderr), 'err');
  }
});
test('a system error frame is an error', async () => {
  const sink = new PassThrough();
  await assert.rejects(demultiplex(Readable.from([frame(3, 'lost')]), { stdout: sink, stderr: sink }), /lost/);
});
test('JSON lines may be cut anywhere and the last needs no end', async () => {
  const values: unknown[] = [];
  for await (const value of jsonLines(Readable.from([Buffer.from('{"a":'), Buffer.from('1}\r\n\n{"b":"ä"}')])))
    values.push(value);
  assert.deepEqual(values, [{ a: 1 }, { b: 'ä' }]);
});
test('endpoints are read in every form', () => {
  assert.equal(parseEndpoint('unix:///x').kind, 'unix');
  assert.deepEqual(parseEndpoint('tcp://[::1]:99'), { kind: 'tcp', host: '::1', port: 99, address: 'tcp://[::1]:99' });
  const secure = parseEndpoint('tcp://h', { verify: true });
  assert.equal(secure.kind === 'tcp' && secure.port, 2376);
  assert.throws(() => parseEndpoint('ftp://h'), /unsupported proto/);
});
test('a refusal carries the daemon’s message and a kind', async () => {
  await withServer(
    (_, response) => {
      response.statusCode = 404;
      response.end('{"message":"No such container: x"}');
    },
    async (client) => {
      await assert.rejects(client.containers.inspect('x'), (error: unknown) => {
        assert.ok(error instanceof ApiError);
        assert.deepEqual([error.kind, error.status, error.message], ['not-found', 404, 'No such container: x']);
        return true;
      });
    },
  );
});
test('no daemon is an error of its own', async () => {
  const client = new Client(parseEndpoint('unix:///nowhere/s.sock'));
  await assert.rejects(
    client.system.version(),
    (error: unknown) => error instanceof ConnectError && error.code === 'ENOENT',
  );
});
test('an older daemon lowers the version once', async () => {
  const paths: string[] = [];
  await withServer(
    (request, response) => {
      paths.push(request.url ?? '');
      if (request.url?.startsWith('/v1.51')) {
        response.statusCode = 400;
        response.end('{"message":"client version 1.51 is too new. Maximum supported API version is 1.41"}');
      } else response.end('[]');
    },
    async (client) => {
      await client.containers.list({ all: true });
      await client.images.list();
    },
  );
  assert.deepEqual(paths, ['/v1.51/containers/json?all=1', '/v1.41/containers/json?all=1', '/v1.41/images/json']);
});
test('a taken-over connection carries both directions and half-closes', async () => {
  await withServer(
    () => undefined,
    async (client, server) => {
      server.on('upgrade', (_, socket) => {
        socket.write(
          'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ',
        );
        socket.on('data', (chunk) => socket.write(chunk));
        socket.on('end', () => socket.end());
      });
      const { stream, multiplexed } = await client.containers.attach('x', { stdin: true, stdout: true });
      assert.equal(multiplexed, false);
      stream.end('world');
      assert.equal(await text(stream), 'hello world');
    },
  );
});
