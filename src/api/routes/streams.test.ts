import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import Docker from 'dockerode';
import WebSocket from 'ws';
import { invalid } from '#base';
import type { EngineEvent } from '#engine';
import type { TaskStats } from '#runtime';
import { FakeAttachment, startTestServer } from '../testing/fake-ports.ts';
import { sampleContainer } from '../testing/sample-container.ts';

function sampleStats(totalNs: number): TaskStats {
  return {
    readAt: 1000 + totalNs,
    cpu: {
      totalNs,
      userNs: 1,
      kernelNs: 2,
      perCpuNs: [totalNs],
      systemNs: totalNs * 10,
      online: 2,
      periods: 0,
      throttledPeriods: 0,
      throttledNs: 0,
    },
    memory: { usage: 5, maxUsage: 6, limit: 7, failures: 0, stats: { cache: 1 } },
    pids: { current: 1, limit: 0 },
    blockIo: [],
  };
}

describe('streaming routes', () => {
  it('send events as they happen and stop reading when the client goes', async () => {
    let stopped: Promise<unknown> = Promise.resolve();
    await using api = await startTestServer({
      events: {
        read: ({ signal, filters, since }) => {
          stopped = once(signal, 'abort');
          return (async function* (): AsyncGenerator<EngineEvent> {
            assert.deepEqual([filters, since], [{ type: ['container'] }, 1_500_000_000n]);
            const event = { type: 'container' as const, action: 'start', id: 'x', attributes: {}, timeNano: 2n };
            yield { ...event, actor: { via: 'engine' } };
            await stopped;
          })();
        },
      },
    });
    const path = `/events?since=1.5&filters=${encodeURIComponent('{"type":{"container":true}}')}`;
    const sent = request({ socketPath: api.path, path }).end();
    sent.on('error', () => undefined);
    const [answer] = await once(sent, 'response');
    answer.on('error', () => undefined);
    const [line] = await once(answer, 'data');
    assert.equal(JSON.parse(String(line)).Action, 'start');
    sent.destroy();
    await stopped;
  });

  it('send stats with the sample before, and one sample alone when asked', async () => {
    const sample = (time: number) => ({
      container: sampleContainer(),
      current: sampleStats(time),
      interfaces: { eth0: { rx_bytes: 3 } },
    });
    await using api = await startTestServer({
      containers: {
        stats: async () => sample(1),
        async *watchStats() {
          yield { sample: sample(2), before: undefined };
          yield { sample: sample(3), before: sample(2) };
        },
      },
    });
    const docker = new Docker({ socketPath: api.path });
    const once = await docker.getContainer('web').stats({ stream: false, 'one-shot': true });
    assert.equal(once.preread, '0001-01-01T00:00:00Z');
    assert.equal(once.precpu_stats.cpu_usage.total_usage, 0);
    assert.equal(once.networks.eth0?.rx_bytes, 3);
    const pair = await docker.getContainer('web').stats({ stream: false });
    assert.deepEqual([pair.precpu_stats.cpu_usage.total_usage, pair.cpu_stats.cpu_usage.total_usage], [2, 3]);
  });

  it('render a build as the classic builder does', async () => {
    await using api = await startTestServer({
      builder: {
        build: async ({ onEvent, tags, buildArgs, context }) => {
          assert.deepEqual([tags, buildArgs], [['app:latest'], { A: 'b', C: null }]);
          for await (const _ of context);
          const step = { number: 1, text: 'FROM scratch', stage: '', line: 1 };
          onEvent({ kind: 'plan', steps: [step] });
          onEvent({ kind: 'step-start', step: 1 });
          onEvent({ kind: 'step-done', step: 1, cached: false });
          return { imageId: `sha256:${'a'.repeat(64)}` };
        },
      },
    });
    const query = `t=app&buildargs=${encodeURIComponent('{"A":"b","C":null}')}`;
    const sent = request({ socketPath: api.path, path: `/build?${query}`, method: 'POST' }).end('tar');
    const [answer] = await once(sent, 'response');
    const text = (await answer.toArray()).join('');
    assert.deepEqual(
      text
        .split('\r\n')
        .filter(Boolean)
        .map((line: string) => JSON.parse(line)),
      [
        { stream: 'Step 1/1 : FROM scratch' },
        { stream: '\n' },
        { aux: { ID: `sha256:${'a'.repeat(64)}` } },
        { stream: 'Successfully built aaaaaaaaaaaa\n' },
        { stream: 'Successfully tagged app:latest\n' },
      ],
    );
  });

  it('answer a Dockerfile error with a status of its own', async () => {
    await using api = await startTestServer({
      builder: {
        build: async () => {
          throw invalid('dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)');
        },
      },
    });
    const sent = request({ socketPath: api.path, path: '/build', method: 'POST' }).end('tar');
    const [answer] = await once(sent, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 400);
  });

  it('attach over a websocket in binary messages', async () => {
    const cat = new FakeAttachment([], { cat: true });
    await using api = await startTestServer({ containers: { attach: async () => cat } });
    const socket = new WebSocket(`ws+unix://${api.path}:/v1.51/containers/web/attach/ws?stream=1&stdin=1&stdout=1`);
    await once(socket, 'open');
    socket.send('hello');
    const [data, isBinary] = await once(socket, 'message');
    assert.deepEqual([String(data), isBinary], ['hello', true]);
    socket.close();
    await once(socket, 'close');
    assert.equal(cat.closed, true);
  });

  it('let dockerode attach with hijacking', async () => {
    const cat = new FakeAttachment([], { cat: true });
    await using api = await startTestServer({ containers: { attach: async () => cat } });
    const docker = new Docker({ socketPath: api.path });
    const stream = await docker
      .getContainer('web')
      .attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    stream.write('hi');
    const [data] = await once(stream, 'data');
    assert.deepEqual(data, Buffer.from([1, 0, 0, 0, 0, 0, 0, 2, 0x68, 0x69]));
    stream.end();
    await once(stream, 'end');
  });
});
