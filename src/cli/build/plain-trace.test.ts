import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { Trace, TraceVertex } from '#client';
import { PlainTrace, type TraceDisplay } from './plain-trace.ts';
import { RawTrace } from './raw-trace.ts';

const start = Date.UTC(2026, 0, 1);

const vertex = (digest: string, rest: Partial<TraceVertex> = {}): TraceVertex => ({
  digest,
  name: `[${digest}] RUN x`,
  started: start,
  ...rest,
});

function said(make: (output: Writable) => TraceDisplay, traces: readonly Partial<Trace>[]): string {
  const chunks: string[] = [];
  const display = make(
    new Writable({
      write: (chunk, _encoding, done) => {
        chunks.push(String(chunk));
        done();
      },
    }),
  );
  for (const trace of traces) display.show({ vertexes: [], statuses: [], logs: [], warnings: [], ...trace });
  display.finish();
  return chunks.join('');
}

const shown = (...traces: Partial<Trace>[]): string => said((output) => new PlainTrace(output), traces);

const log = (digest: string, text: string, after = 0) => ({
  vertex: digest,
  timestamp: start + after,
  stream: 1,
  data: Buffer.from(text),
});

test('vertexes are numbered as they start; output has the seconds since, the end says how long or why', () => {
  assert.equal(
    shown(
      { vertexes: [vertex('a'), { digest: 'later', name: 'not started' }] },
      { logs: [log('a', 'one\ntw', 1234), log('a', 'o\r\nlast', 12345)] },
      { vertexes: [vertex('a', { completed: start + 2345 }), vertex('b', { cached: true, completed: start + 2400 })] },
      { vertexes: [vertex('c', { completed: start + 2500, error: 'context canceled' })] },
    ),
    [
      '#1 [a] RUN x',
      '#1 1.234 one',
      '#1 12.35 two',
      '#1 2.345 last',
      '#1 DONE 2.3s',
      '',
      '#2 [b] RUN x',
      '#2 CACHED',
      '',
      '#3 [c] RUN x',
      '#3 CANCELED',
      '',
    ].join('\n'),
  );
});

test('a vertex that fails is repeated at the end with its last lines', () => {
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index}\n`).join('');
  const text = shown(
    { vertexes: [vertex('a')] },
    { logs: [log('a', lines)] },
    { vertexes: [vertex('a', { completed: start + 1, error: 'exit code: 1' })] },
  );
  assert.match(text, /#1 0\.000 line 11\n#1 ERROR: exit code: 1\n------\n > \[a\] RUN x:\n0\.000 line 2\n/);
  assert.match(text, /\n0\.000 line 11\n------\n$/);
});

test('of parts of a vertex only what matters is told: sizes, time, and that they are done', () => {
  const part = (current: number, rest: object = {}) => ({
    statuses: [{ id: 'sending:', vertex: 'a', current, started: start, timestamp: start + 500, ...rest }],
  });
  const text = shown(
    { vertexes: [vertex('a')] },
    part(0),
    part(1500),
    part(2_500_000, { completed: start + 1000, total: 2_500_000 }),
    { vertexes: [vertex('a', { completed: start + 1000 })] },
  );
  assert.equal(text, '#1 [a] RUN x\n#1 sending: 2.50MB / 2.50MB 1.0s done\n#1 DONE 1.0s\n');
});

test('one vertex is shown at a time; what others say in the meantime comes when they end', () => {
  const text = shown(
    { vertexes: [vertex('a'), vertex('b')] },
    { logs: [log('b', 'from b\n'), log('a', 'from a\n')] },
    { vertexes: [vertex('b', { completed: start + 1000 })] },
    { vertexes: [vertex('a', { completed: start + 2000 })] },
  );
  assert.deepEqual(
    text
      .split('\n')
      .filter((line) => line.startsWith('#1'))
      .slice(0, 2),
    ['#1 [a] RUN x', '#1 0.000 from a'],
  );
  assert.match(text, /#2 \[b\] RUN x\n#2 0\.000 from b\n#2 DONE 1\.0s\n/);
});

test('warnings come last', () => {
  const text = shown({ vertexes: [vertex('a', { completed: start })], warnings: [{ vertex: 'a', short: 'Odd: x' }] });
  assert.match(text, /#1 DONE 0\.0s\n\n 1 warning found:\n - Odd: x\n$/);
});

test('raw progress is one JSON object a message, with the keys of BuildKit’s client', () => {
  const text = said(
    (output) => new RawTrace(output),
    [{ vertexes: [vertex('a', { cached: true })] }, {}, { logs: [log('a', 'hi')] }],
  );
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { vertexes: [{ digest: 'a', name: '[a] RUN x', started: '2026-01-01T00:00:00.000Z', cached: true }] },
      { logs: [{ vertex: 'a', stream: 1, data: 'aGk=', timestamp: '2026-01-01T00:00:00.000Z' }] },
    ],
  );
});
