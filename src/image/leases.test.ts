import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Leases } from './leases.ts';

describe('Leases', () => {
  it('refuse a removal while anybody holds the key, and allow it afterwards', async () => {
    const leases = new Leases();
    const removed: string[] = [];
    const remove = () =>
      leases.remove('key', async () => {
        removed.push('key');
      });
    await leases.with(async (outer) => {
      await outer.hold('key');
      await leases.with(async (inner) => inner.hold('key', 'key'));
      assert.equal(await remove(), false);
    });
    assert.equal(await remove(), true);
    assert.deepEqual(removed, ['key']);
  });

  it('make who holds a key wait for a removal of it that has begun', async () => {
    const leases = new Leases();
    let finish: () => void = () => undefined;
    const removal = leases.remove(
      'key',
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const order: string[] = [];
    const holding = leases.with(async (lease) => {
      await lease.hold('key');
      order.push('held');
    });
    order.push('finish');
    finish();
    await Promise.all([removal, holding]);
    assert.deepEqual(order, ['finish', 'held']);
  });

  it('know when the oldest operation under way began', async () => {
    const leases = new Leases();
    await leases.with(async () => {
      const began = leases.oldest();
      await leases.with(async () => assert.equal(leases.oldest(), began));
      assert.equal(leases.oldest(), began);
    });
    assert.ok(leases.oldest() <= Date.now());
  });
});
