import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { healthAfter, healthPlan, nextProbeIn } from './health-check.ts';

const plan = healthPlan({ Test: ['CMD-SHELL', 'test -e /ok'], StartPeriod: 1e9, Retries: 2 }, undefined);
assert.ok(plan);
const starting = { status: 'starting', failingStreak: 0, log: [] } as const;
const probe = (exitCode: number, start = 5000) => ({ start, end: start + 1, exitCode, output: '' });
const at = { plan, startedAt: 0 };

describe('health checks', () => {
  test('a plan has Docker’s defaults; NONE and nothing are no plan', () => {
    assert.deepEqual(plan.command, ['/bin/sh', '-c', 'test -e /ok']);
    assert.deepEqual([plan.interval, plan.timeout, plan.startInterval], [30_000, 30_000, 5000]);
    assert.equal(healthPlan({ Test: ['NONE'] }, undefined), undefined);
    assert.equal(healthPlan(undefined, undefined), undefined);
  });
  test('becomes unhealthy after so many failures in a row, and healthy by one success', () => {
    const once = healthAfter(starting, probe(1), at);
    assert.deepEqual([once.status, once.failingStreak], ['starting', 1]);
    const twice = healthAfter(once, probe(1), at);
    assert.equal(twice.status, 'unhealthy');
    assert.deepEqual(healthAfter(twice, probe(0), at).status, 'healthy');
  });
  test('failures in the start period do not count, and probes come more often in it', () => {
    assert.equal(healthAfter(starting, probe(1, 500), at).failingStreak, 0);
    assert.equal(nextProbeIn(starting, plan, 500), 5000);
    assert.equal(nextProbeIn(starting, plan, 1500), 30_000);
  });
  test('keeps the last five results', () => {
    let health: Parameters<typeof healthAfter>[0] = starting;
    for (let count = 0; count < 8; count++) health = healthAfter(health, probe(0, count), at);
    assert.deepEqual(
      health.log.map((entry) => entry.start),
      [3, 4, 5, 6, 7],
    );
  });
});
