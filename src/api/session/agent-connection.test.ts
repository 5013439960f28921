import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { conflict } from '#base';
import { connectGrpc, type GrpcCaller, type MessageStream, serveGrpc, sessionMethods, streaming } from '#buildkit';
import { AgentConnection } from './agent-connection.ts';

type Bytes = { data: Uint8Array };
type Agent = (stream: MessageStream<Bytes, Bytes>, signal: AbortSignal) => Promise<void>;

/** A caller whose other end has this agent. */
async function callerOf(t: TestContext, agent: Agent): Promise<GrpcCaller> {
  const directory = mkdtempSync(join(tmpdir(), 'api-agent-'));
  const server = createServer().listen(join(directory, 's'));
  await once(server, 'listening');
  const client = connect(join(directory, 's'));
  const [socket] = (await once(server, 'connection')) as [Socket];
  serveGrpc(client, [streaming(sessionMethods.forwardAgent, agent)]);
  const caller = connectGrpc(socket);
  t.after(() => {
    caller.close();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return caller;
}

const never = new AbortController().signal;

test('bytes pass in both directions, more than fit into one message, until both have ended', async (t) => {
  const seen: string[] = [];
  const caller = await callerOf(t, async (stream) => {
    seen.push(...(stream.metadata['buildkit.ssh.id'] ?? []));
    await stream.send({ data: new Uint8Array() });
    for await (const piece of stream.received) await stream.send(piece);
  });
  const connection = new AgentConnection(caller, 'mine', never);
  const bytes = Buffer.alloc(5 << 20, 'agent');
  connection.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of connection) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.deepEqual(seen, ['mine']);
});

test('an agent that fails destroys the connection with its words', async (t) => {
  const caller = await callerOf(t, () => Promise.reject(conflict('the agent is locked')));
  const connection = new AgentConnection(caller, 'default', never);
  connection.resume();
  const [error] = (await once(connection, 'error')) as [Error];
  assert.equal(error.message, 'the agent is locked');
});

test('destroying the connection ends the call', async (t) => {
  let over: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (over = resolve));
  const caller = await callerOf(t, async (stream, signal) => {
    await stream.send({ data: Buffer.from('x') });
    await once(signal, 'abort');
    over();
  });
  const connection = new AgentConnection(caller, 'default', never);
  await once(connection, 'data');
  connection.destroy();
  await stopped;
});
