import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findObstacle } from './update.ts';

const mega = 1024 * 1024;

describe('findObstacle', () => {
  /** What dockerd 28.5.2 refuses to add to the limits there are. */
  for (const [have, given, message] of [
    [
      { memory: 64 * mega, memorySwap: 128 * mega },
      { memory: 200 * mega },
      /Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time/,
    ],
    [{ memory: 64 * mega }, { memorySwap: 50 * mega }, /larger than already set memory limit/],
    [{ nanoCpus: 1e9 }, { cpuQuota: 20_000 }, /CPU Quota cannot be updated as NanoCPUs has already been set/],
    [{ nanoCpus: 1e9 }, { cpuPeriod: 20_000 }, /CPU Period cannot be updated as NanoCPUs has already been set/],
    [{ cpuQuota: 20_000 }, { nanoCpus: 1e9 }, /NanoCPUs cannot be updated as CPU Quota has already been set/],
  ] as const) {
    test(`is ${message.source}`, () => assert.match(findObstacle(have, given) ?? '', message));
  }

  test('is nothing for limits that go together', () => {
    const have = { memory: 64 * mega, memorySwap: 128 * mega };
    assert.equal(findObstacle(have, { memory: 200 * mega, memorySwap: 300 * mega }), undefined);
    assert.equal(findObstacle(have, { memorySwap: -1, cpuShares: 5 }), undefined);
    assert.equal(findObstacle({ memory: 64 * mega, memorySwap: -1 }, { memory: 200 * mega }), undefined);
  });
});
