import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { Cgroup } from '#host';
import { liftLimits, withoutUnlimited } from './unlimited.ts';

it('withoutUnlimited leaves out what says "no limit", and nothing else', () => {
  const memory = { limit: 5, swap: -1 };
  assert.deepEqual(withoutUnlimited({ memory, pids: { limit: -1 }, cpu: { quota: -1, shares: 3 } }), {
    memory,
    cpu: { shares: 3 },
  });
  assert.deepEqual(withoutUnlimited({ pids: { limit: -1 }, cpu: { quota: -1 } }), {});
  const limited = { pids: { limit: 7 }, cpu: { quota: 1000 } };
  assert.deepEqual(withoutUnlimited(limited), limited);
});

it('liftLimits writes the words of each cgroup version', async () => {
  const root = mkdtempSync(join(tmpdir(), 'runtime-limits-'));
  try {
    const text = (name: string) => readFileSync(join(root, name), 'latin1');
    for (const name of ['pids.max', 'cpu.max', 'cpu.cfs_quota_us']) writeFileSync(join(root, name), '5\n');
    const unlimited = { pids: { limit: -1 }, cpu: { quota: -1, period: 50_000 } };
    const hierarchies = [{ mountpoint: root, controllers: ['cpu', 'pids'] }];
    await liftLimits(new Cgroup({ kind: 'v2', hierarchies }, '/'), unlimited);
    assert.match(text('pids.max'), /^max/);
    assert.match(text('cpu.max'), /^max 50000/);
    await liftLimits(new Cgroup({ kind: 'v1', hierarchies }, '/'), unlimited);
    assert.match(text('cpu.cfs_quota_us'), /^-1/);
  } finally {
    rmSync(root, { recursive: true });
  }
});
