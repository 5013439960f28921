import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { AgentSocket, type Connect } from './agent-socket.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp('/tmp/builder-agent-');
});
after(() => rm(directory, { recursive: true, force: true }));

async function withSocket(agent: Connect, use: (path: string) => Promise<void>, name = 's'): Promise<void> {
  const path = join(directory, name);
  const socket = await AgentSocket.listen(path, agent);
  try {
    await use(path);
  } finally {
    await socket.close();
  }
  assert.equal(existsSync(path), false);
}

test('an agent socket forwards many bytes both ways, and that an end has said all', async () => {
  const sent = Buffer.alloc(3 << 20, 'agent');
  await withSocket(
    async () => new PassThrough(),
    async (path) => {
      const client = connect({ path, allowHalfOpen: true });
      client.end(sent);
      assert.ok(Buffer.concat(await client.toArray()).equals(sent));
    },
  );
});

test('an agent socket takes no more from a step than the agent takes', async () => {
  let taken = 0;
  const agent = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, _done) {
      taken += chunk.length;
    },
  });
  await withSocket(
    async () => agent,
    async (path) => {
      const client = connect(path).on('error', () => {});
      await once(client, 'connect');
      // Until the kernel's buffer is full too: a write that is not taken is never called back.
      const stuck = Buffer.alloc(8 << 20);
      let done = false;
      client.write(stuck, () => {
        done = true;
      });
      while (taken === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.ok(taken <= 1 << 20);
      assert.equal(done, false);
      client.destroy();
    },
  );
});

test('an agent that cannot be reached, or breaks, closes the connection of the step', async () => {
  const agents: Connect[] = [
    () => Promise.reject(new Error('gone')),
    async () => {
      const agent = new PassThrough();
      setImmediate(() => agent.destroy(new Error('broken')));
      return agent;
    },
  ];
  for (const agent of agents) {
    await withSocket(agent, async (path) => {
      const client = connect(path).on('error', () => {});
      await once(client, 'close');
    });
  }
});

test('closing an agent socket ends open connections and those being made', async () => {
  const agents: Duplex[] = [];
  let pending = () => {};
  const asked = new Promise<void>((resolve) => {
    pending = resolve;
  });
  const agent: Connect = async (signal) => {
    if (agents.length > 0) {
      pending();
      await once(signal, 'abort');
    }
    const stream = new PassThrough();
    stream.write('hello');
    agents.push(stream);
    return stream;
  };
  await withSocket(agent, async (path) => {
    const first = connect(path).on('error', () => {});
    await once(first, 'data');
    connect(path).on('error', () => {});
    await asked;
  });
  assert.deepEqual(
    agents.map((stream) => stream.destroyed),
    [true, true],
  );
});

test('an agent socket listens at a path longer than an address holds', async () => {
  const deep = 'd'.repeat(120);
  await mkdir(join(directory, deep));
  await withSocket(
    async () => new PassThrough(),
    async () => {},
    `${deep}/s`,
  );
});
