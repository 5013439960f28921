import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canceled, invalid, isBerthError } from '#base';
import { DetailedError } from '#buildkit';
import { asBuildFailure } from './build-failure.ts';

const text = 'FROM x\nRUN a && \\\n  b && \\\n  c\nCMD d\n';
const step = { number: 2, text: 'RUN a', stage: '0', line: 2 };

/** What is told of the place. */
function placeOf(error: unknown): unknown {
  assert.ok(error instanceof DetailedError);
  const [detail] = error.details;
  assert.equal(detail?.type, 'github.com/moby/buildkit/errdefs.Source+json');
  const { info, ranges } = detail.value as { info: { filename: string; data: string }; ranges: unknown[] };
  assert.equal(Buffer.from(info.data, 'base64').toString(), text);
  return { file: info.filename, range: ranges[0] };
}

test('a failed step is shown with all its lines', () => {
  const failure = asBuildFailure(new Error('no'), { dockerfile: 'D', recipe: { text }, step });
  assert.deepEqual(placeOf(failure), { file: 'D', range: { start: { line: 2 }, end: { line: 4 } } });
});

test('an error of the Dockerfile itself is shown where it lies', () => {
  const error = invalid('unknown instruction', { details: { line: 5 } });
  const failure = asBuildFailure(error, { dockerfile: 'D', recipe: { text }, step: undefined });
  assert.deepEqual(placeOf(failure), { file: 'D', range: { start: { line: 5 }, end: { line: 5 } } });
});

test('without a place only the text is told, and a canceled build stays that', () => {
  const place = { dockerfile: 'D', recipe: undefined, step: undefined };
  const failure = asBuildFailure(invalid('no'), place);
  assert.ok(failure instanceof Error && failure.message === 'no' && !isBerthError(failure));
  assert.ok(isBerthError(asBuildFailure(canceled('context canceled'), place), 'canceled'));
});
