import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuildStep } from '#builder';
import type { Trace, TraceVertex } from '#buildkit';
import { BuildTrace } from './build-trace.ts';

const step = (number: number, stage: string, text: string): BuildStep => ({ number, text, stage, line: number });

function recorder() {
  const parts: Partial<Trace>[] = [];
  const trace = new BuildTrace((part) => parts.push(part));
  /** The last that was said of each vertex, by its name. */
  const vertexes = () => {
    const last = new Map<string, TraceVertex>();
    for (const vertex of parts.flatMap((part) => part.vertexes ?? [])) last.set(vertex.name, vertex);
    return last;
  };
  return { parts, trace, vertexes };
}

test('steps are numbered within their stages, and only those that do something', () => {
  const { trace, vertexes } = recorder();
  trace.onEvent({
    kind: 'plan',
    steps: [
      step(1, '', 'ARG X'),
      step(2, 'base', 'FROM busybox AS base'),
      step(3, 'base', 'ENV A=1'),
      step(4, 'base', 'RUN one'),
      step(5, '1', 'from --platform=linux/amd64 example.com/x:1'),
      step(6, '1', 'COPY . /'),
      step(7, '1', 'CMD ["x"]'),
      step(8, 'last', 'FROM Base AS last'),
      step(9, 'last', 'WORKDIR /w'),
      step(10, 'empty', 'FROM scratch AS empty'),
      step(11, 'empty', 'ADD a /'),
    ],
  });
  assert.deepEqual(
    [...vertexes().keys()],
    [
      '[base 1/2] FROM docker.io/library/busybox:latest',
      '[base 2/2] RUN one',
      '[stage-1 1/2] FROM example.com/x:1',
      '[stage-1 2/2] COPY . /',
      '[last 1/1] WORKDIR /w',
      '[empty 1/1] ADD a /',
    ],
  );
  const [from, run] = [...vertexes().values()];
  assert.deepEqual(run?.inputs, [from?.digest]);
});

test('a step starts, prints and ends; what is cached says so', () => {
  const { trace, vertexes, parts } = recorder();
  trace.onEvent({ kind: 'plan', steps: [step(1, '0', 'FROM busybox'), step(2, '0', 'RUN one')] });
  trace.onEvent({ kind: 'step-done', step: 1, cached: true });
  trace.onEvent({ kind: 'step-start', step: 2 });
  trace.onEvent({ kind: 'step-running', step: 2, containerId: 'c' });
  trace.onEvent({ kind: 'step-output', step: 2, stream: 'stderr', data: Buffer.from('hm\n') });
  trace.onEvent({ kind: 'step-done', step: 2, cached: false });
  const [from, run] = [...vertexes().values()];
  assert.ok(from?.cached && from.started !== undefined && from.completed !== undefined);
  assert.ok(run?.cached === false && run.completed !== undefined && run.error === undefined);
  const [log] = parts.flatMap((part) => part.logs ?? []);
  assert.deepEqual([log?.vertex, log?.stream, String(log?.data)], [run.digest, 2, 'hm\n']);
});

test('a failed RUN says so in the words of BuildKit, and what was under way is canceled', () => {
  const { trace, vertexes } = recorder();
  trace.onEvent({ kind: 'plan', steps: [step(1, 'a', 'RUN one'), step(2, 'b', 'RUN two'), step(3, 'b', 'USER x')] });
  trace.onEvent({ kind: 'step-start', step: 1 });
  trace.onEvent({ kind: 'step-start', step: 2 });
  trace.onEvent({ kind: 'step-failed', step: 1, message: 'x', exit: { command: '/bin/sh -c one', code: 3 } });
  trace.onEvent({ kind: 'step-failed', step: 3, message: 'no such user' });
  trace.end();
  const errors = [...vertexes().values()].map(({ name, error }) => [name, error]);
  assert.deepEqual(errors, [
    ['[a 1/1] RUN one', 'process "/bin/sh -c one" did not complete successfully: exit code: 3'],
    ['[b 1/1] RUN two', 'context canceled'],
    ['USER x', 'no such user'],
  ]);
});

test('the image is told with its names in full', () => {
  const { trace, parts, vertexes } = recorder();
  trace.onEvent({ kind: 'image', id: 'sha256:ab', tags: ['one:latest', 'example.com/two:2'] });
  assert.deepEqual(
    parts.flatMap((part) => part.statuses ?? []).map(({ id }) => id),
    [
      'exporting layers',
      'writing image sha256:ab',
      'naming to docker.io/library/one:latest',
      'naming to example.com/two:2',
    ],
  );
  assert.ok(vertexes().get('exporting to image')?.completed);
});

test('other work counts its bytes and ends once, well or not', async () => {
  const { trace, parts, vertexes } = recorder();
  const good = trace.open('load', 'transferring:');
  good.onBytes(5);
  good.onBytes(7);
  assert.equal(await good.during(Promise.resolve(1)), 1);
  good.close(new Error('too late'));
  const bad = trace.open('fail', 'transferring:');
  await assert.rejects(bad.during(Promise.reject(new Error('broken'))), /broken/);
  trace.end();
  const counts = parts
    .flatMap((part) => part.statuses ?? [])
    .map(({ current, completed }) => [current, completed !== undefined]);
  assert.deepEqual(counts, [
    [5, false],
    [7, true],
    [0, true],
  ]);
  assert.equal(vertexes().get('load')?.error, undefined);
  assert.equal(vertexes().get('fail')?.error, 'broken');
});
