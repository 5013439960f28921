import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBerthError } from '#base';
import { pauseBefore, retryAfter } from './retry.ts';

test('retryAfter reads seconds and dates, and nothing else', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  assert.equal(retryAfter('120', now), 120_000);
  assert.equal(retryAfter('Fri, 02 Jan 2026 03:04:35 GMT', now), 30_000);
  assert.equal(retryAfter('Fri, 02 Jan 2026 03:04:00 GMT', now), 0);
  for (const header of [undefined, 'soon', '-1x']) assert.equal(retryAfter(header, now), undefined);
});

test('a pause that the registry wishes takes its place, and can be given up', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const policy = { attempts: 5, backoff: 500 };
  let isOver = false;
  const wished = pauseBefore(1, policy, { retryAfter: 7000 }).then(() => {
    isOver = true;
  });
  context.mock.timers.tick(6999);
  await Promise.resolve();
  assert.equal(isOver, false);
  context.mock.timers.tick(1);
  await wished;
  const abort = new AbortController();
  const waiting = pauseBefore(1, policy, { retryAfter: 20_000, signal: abort.signal });
  abort.abort();
  await assert.rejects(waiting, (error) => isBerthError(error, 'canceled'));
});
