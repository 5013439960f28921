import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUpdatePolicy, updatePolicyOf } from './update-policy.ts';

test('x-update is an order or a mapping; durations are read as Compose writes them', () => {
  assert.equal(updatePolicyOf({}).order, 'stop-first');
  assert.equal(updatePolicyOf({ 'x-update': 'start-first' }).order, 'start-first');
  const given = { order: 'start-first', timeout: '1m30s', monitor: '500ms', drain: 3, 'on-failure': 'keep' };
  assert.deepEqual(readUpdatePolicy(given), {
    order: 'start-first',
    timeout: 90,
    monitor: 0.5,
    drain: 3,
    onFailure: 'keep',
  });
});

test('what x-update cannot mean is refused with its key', () => {
  assert.deepEqual(readUpdatePolicy('sideways'), {
    message: 'order must be one of start-first, stop-first',
    keys: ['order'],
  });
  assert.deepEqual(readUpdatePolicy({ drain: 'soon' }), {
    message: 'drain must be a duration such as 30s',
    keys: ['drain'],
  });
  assert.deepEqual(readUpdatePolicy({ speed: 1 }), {
    message: 'has no key speed; it knows order, on-failure, timeout, monitor, drain',
    keys: ['speed'],
  });
  assert.deepEqual(readUpdatePolicy([]), { message: 'must be an order or a mapping', keys: [] });
});
