import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBerthError } from '#base';
import { decodeTrace, encodeTrace } from './trace.ts';

/** Sent by dockerd 28.5 when `RUN echo before; exit 7` had failed. */
const recorded =
  'CqMCCkdzaGEyNTY6NmIwYWEzMTQyZTFmNWJkZjE3MTA1ZjFiNWE0NmRkYTgyOWU1NTI1ZjlhNDQyYzM5OWQ2Yzg2MzI4M2YxOWVmMRJHc2hhMjU2OmUxNDMyYjhlMjA1NGFiYjAzNDQ1MWMxNWYwYThhZDQ5ZDA3ZjU4OTJjYTI2NjAxNjIyNmZlYzc3ZTk1ZDIwYTAaHVsyLzJdIFJVTiBlY2hvIGJlZm9yZTsgZXhpdCA3KgwIj+WG2AYQy5nlvgIyDAiP5YbYBhCr6PnKAzpUcHJvY2VzcyAiL2Jpbi9zaCAtYyBlY2hvIGJlZm9yZTsgZXhpdCA3IiBkaWQgbm90IGNvbXBsZXRlIHN1Y2Nlc3NmdWxseTogZXhpdCBjb2RlOiA3';

test('a trace of dockerd is read', () => {
  const { vertexes, logs } = decodeTrace(Buffer.from(recorded, 'base64'));
  const [vertex] = vertexes;
  assert.equal(vertex?.name, '[2/2] RUN echo before; exit 7');
  assert.equal(vertex?.error, 'process "/bin/sh -c echo before; exit 7" did not complete successfully: exit code: 7');
  assert.equal(vertex?.inputs?.length, 1);
  assert.equal(new Date(vertex?.started ?? 0).toISOString(), '2026-11-21T15:02:39.668Z');
  assert.deepEqual(logs, []);
});

test('a trace is read as it was written', () => {
  const trace = {
    vertexes: [
      { digest: 'sha256:1', inputs: [], name: 'one', cached: true, started: 1000.25, completed: 2000 },
      { digest: 'sha256:2', inputs: ['sha256:1'], name: 'two', cached: false, error: 'broken' },
    ],
    statuses: [
      { id: 'layer', vertex: 'sha256:1', name: 'pulling', current: 5, total: 2 ** 40, timestamp: 1500, started: 1400 },
    ],
    logs: [{ vertex: 'sha256:1', timestamp: 1600, stream: 2, data: Buffer.from([0xff, 0x0a]) }],
    warnings: [{ vertex: 'sha256:1', level: 1, short: 'hm', detail: ['because'], url: 'https://example.invalid/' }],
  };
  assert.deepEqual(decodeTrace(encodeTrace(trace)), trace);
});

test('bytes that are no trace are refused', () => {
  assert.throws(() => decodeTrace(Buffer.from('not protobuf at all')), isBerthError);
});
