import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { parseEngineProbe, probe } from './engine-probe.ts';

describe('probes made by the engine', () => {
  const server = createServer((request, response) => {
    if (request.url === '/hang') return;
    response.statusCode = request.url === '/ok' ? 200 : 503;
    response.end('body');
  });
  let port = 0;
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = (text: string, timeout = 5000) => probe(parseEngineProbe('HTTP', text), '127.0.0.1', timeout);

  test('http is healthy by its status', async () => {
    assert.deepEqual(await ask(`${port}/ok`), { exitCode: 0, output: 'HTTP 200\nbody' });
    assert.equal((await ask(`:${port}`)).exitCode, 1);
  });
  test('http without an answer ends with the timeout', async () => {
    assert.deepEqual(await ask(`${port}/hang`, 50), { exitCode: -1, output: 'Health check exceeded timeout (0.05s)' });
  });
  test('tcp is healthy when the port answers', async () => {
    const tcp = (at: number) => probe(parseEngineProbe('TCP', String(at)), '127.0.0.1', 5000);
    assert.equal((await tcp(port)).exitCode, 0);
    assert.match((await tcp(1)).output, /ECONNREFUSED/);
  });
  test('what is no port is refused', () => {
    for (const text of ['', 'x', '0', '70000', '80/path']) {
      assert.throws(() => parseEngineProbe('TCP', text), /give it as PORT/);
    }
  });
});
