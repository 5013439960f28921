import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBerthError, timedOut } from '#base';
import { KeyedWaiters } from './keyed-waiters.ts';

const never = new AbortController().signal;
const late = () => timedOut('too late');

test('all who wait for a key get what is given, and nobody else', async () => {
  const waiters = new KeyedWaiters<number>();
  const both = [1, 2].map(() => waiters.wait('a', { signal: never, ms: 60_000, late }));
  const controller = new AbortController();
  const other = waiters.wait('b', { signal: controller.signal, ms: 60_000, late });
  assert.equal(waiters.give('a', 7), true);
  assert.deepEqual(await Promise.all(both), [7, 7]);
  assert.equal(waiters.give('a', 8), false);
  controller.abort();
  await assert.rejects(other, (error: unknown) => isBerthError(error, 'canceled'));
  assert.equal(waiters.give('b', 8), false);
});

test('who waits too long is told so', async () => {
  const waiters = new KeyedWaiters<number>();
  await assert.rejects(waiters.wait('a', { signal: never, ms: 1, late }), /too late/);
  assert.equal(waiters.give('a', 1), false);
  await assert.rejects(waiters.wait('a', { signal: AbortSignal.abort(), ms: 60_000, late }), /canceled/);
});
