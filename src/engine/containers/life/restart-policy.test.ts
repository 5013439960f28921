import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { restartDelay, startsWithDaemon } from './restart-policy.ts';

const run = { exitCode: 1, ranFor: 50, stoppedByUser: false, restartCount: 0, lastDelay: 0 };
const policy = (name: 'no' | 'always' | 'on-failure' | 'unless-stopped', maximumRetryCount = 0) => ({
  name,
  maximumRetryCount,
});

describe('restartDelay', () => {
  test('doubles from 100 ms to a minute while runs are short', () => {
    const delays = [];
    let lastDelay = 0;
    for (let count = 0; count < 12; count++) {
      lastDelay = restartDelay(policy('always'), { ...run, lastDelay }) ?? -1;
      delays.push(lastDelay);
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  });
  test('begins anew after a run of ten seconds', () => {
    assert.equal(restartDelay(policy('always'), { ...run, lastDelay: 6400, ranFor: 10_000 }), 100);
  });
  test('on-failure heeds the exit code and the number of retries', () => {
    assert.equal(restartDelay(policy('on-failure'), { ...run, exitCode: 0 }), undefined);
    assert.equal(restartDelay(policy('on-failure', 2), { ...run, restartCount: 1 }), 100);
    assert.equal(restartDelay(policy('on-failure', 2), { ...run, restartCount: 2 }), undefined);
  });
  test('never restarts what the user stopped, nor without a policy', () => {
    assert.equal(restartDelay(policy('always'), { ...run, stoppedByUser: true }), undefined);
    assert.equal(restartDelay(policy('no'), run), undefined);
  });
});

describe('startsWithDaemon', () => {
  test('always comes back even when stopped by hand, unless-stopped does not', () => {
    const stopped = { ...run, stoppedByUser: true };
    assert.equal(startsWithDaemon(policy('always'), stopped), true);
    assert.equal(startsWithDaemon(policy('unless-stopped'), stopped), false);
    assert.equal(startsWithDaemon(policy('unless-stopped'), run), true);
    assert.equal(startsWithDaemon(policy('no'), run), false);
  });
});
