import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeChanges } from './changes.ts';

test('changes of an import may set a health check', () => {
  const check = decodeChanges(['HEALTHCHECK --interval=5s --retries=2 CMD curl localhost']).Healthcheck;
  assert.deepEqual(check, { Test: ['CMD-SHELL', 'curl localhost'], Interval: 5e9, Retries: 2 });
  assert.deepEqual(decodeChanges(['healthcheck CMD ["a", "b"]']).Healthcheck, { Test: ['CMD', 'a', 'b'] });
  assert.deepEqual(decodeChanges(['HEALTHCHECK NONE']).Healthcheck, { Test: ['NONE'] });
  for (const wrong of [
    'HEALTHCHECK',
    'HEALTHCHECK curl',
    'HEALTHCHECK --bogus=1 CMD a',
    'HEALTHCHECK --retries=x CMD a',
  ]) {
    assert.throws(() => decodeChanges([wrong]), { kind: 'invalid' }, wrong);
  }
});

test('what no image config has is refused in the words of Docker', () => {
  assert.throws(() => decodeChanges(['RUN x']), { message: 'RUN is not a valid change command' });
});
