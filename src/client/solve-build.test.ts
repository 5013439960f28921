import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { invalid, isBerthError } from '#base';
import { answering, type ControlSolve, controlMethods, serveGrpc, streaming } from '#buildkit';
import { parseEndpoint } from './endpoint.ts';
import { type SolveEvent, solveBuild } from './solve-build.ts';
import { Transport } from './transport.ts';

/** An engine whose BuildKit says one thing and then does what `solve` says. */
async function engine(
  t: TestContext,
  solve: (request: ControlSolve, signal: AbortSignal) => Promise<Record<string, string>>,
): Promise<Transport> {
  const directory = mkdtempSync(join(tmpdir(), 'client-solve-'));
  const server = createServer().listen(join(directory, 's.sock'));
  await once(server, 'listening');
  server.on('upgrade', (request, connection) => {
    assert.match(request.url ?? '', /\/grpc$/);
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    const vertexes = [{ digest: 'a', name: '[1/1] FROM x', started: 1, completed: 2 }];
    serveGrpc(connection, [
      streaming(controlMethods.status, (stream) => stream.send({ vertexes, statuses: [], logs: [], warnings: [] })),
      answering(controlMethods.solve, async (request, { signal }) => ({
        ExporterResponse: await solve(request, signal),
      })),
    ]);
  });
  const transport = new Transport(parseEndpoint(`unix://${join(directory, 's.sock')}`));
  t.after(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return transport;
}

const build = { session: 'mine', options: { filename: 'D' }, names: ['r/a:1', 'r/b:2'], entitlements: [] };

async function eventsOf(events: AsyncIterable<SolveEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events)
    seen.push(event.kind === 'image' ? event.id : (event.trace.vertexes[0]?.name ?? ''));
  return seen;
}

test('a build says what it does and, at last, which image it made', async (t) => {
  const asked: ControlSolve[] = [];
  const transport = await engine(t, async (request) => {
    asked.push(request);
    return { 'containerimage.config.digest': 'sha256:1' };
  });
  assert.deepEqual(await eventsOf(solveBuild(transport, build)), ['[1/1] FROM x', 'sha256:1']);
  const [request] = asked;
  assert.deepEqual(
    [request?.Session, request?.Frontend, request?.FrontendAttrs],
    ['mine', 'dockerfile.v0', { filename: 'D' }],
  );
  assert.deepEqual(request?.Exporters[0]?.Attrs, { name: 'r/a:1,r/b:2' });
});

test('a build that fails ends with what it failed with, after what it said', async (t) => {
  const transport = await engine(t, async () => {
    throw invalid('no such stage');
  });
  const events = solveBuild(transport, { ...build, names: [] });
  assert.equal((await events.next()).value?.kind, 'trace');
  await assert.rejects(events.next(), { kind: 'invalid', message: 'no such stage' });
});

test('a build is ended by its signal', async (t) => {
  const ending = new AbortController();
  const transport = await engine(t, (_request, signal) => {
    ending.abort();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const failure = await eventsOf(solveBuild(transport, build, ending.signal)).catch((error: unknown) => error);
  assert.ok(isBerthError(failure, 'canceled'), String(failure));
});
