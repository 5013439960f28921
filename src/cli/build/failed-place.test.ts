import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedPlace } from './failed-place.ts';

const text = [
  'FROM busybox',
  '# why',
  'RUN one && \\',
  '    # inside',
  '    two',
  '',
  'RUN twice',
  'RUN twice',
  '',
].join('\n');

test('the instruction that failed is shown with the lines around it', () => {
  assert.equal(
    failedPlace('[stage-0 2/4] RUN one && two', { name: 'Dockerfile', text }),
    [
      'Dockerfile:3',
      '--------------------',
      '   1 |     FROM busybox',
      '   2 |     # why',
      '   3 | >>> RUN one && \\',
      '   4 | >>>     # inside',
      '   5 | >>>     two',
      '   6 |     ',
      '   7 |     RUN twice',
      '--------------------',
      '',
    ].join('\n'),
  );
});

test('an instruction that is there twice, or not at all, is not guessed', () => {
  assert.equal(failedPlace('[3/4] RUN twice', { name: 'Dockerfile', text }), '');
  assert.equal(failedPlace('[internal] load build context', { name: 'Dockerfile', text }), '');
});
