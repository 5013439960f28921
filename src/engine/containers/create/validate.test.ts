import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkResources } from './check-resources.ts';
import { checkName, checkRestartPolicy } from './validate.ts';

const limits = {
  cpus: 2,
  memoryNodes: [0],
  swap: true,
  blkioWeight: true,
  cgroupnsMode: 'private',
  leastOomScore: -1000,
  apparmor: false,
} as const;

describe('checkName', () => {
  test('refuses what Docker refuses, in its words', () => {
    for (const name of ['ab', 'a.b', 'A_1-x']) checkName(name);
    for (const name of ['a', '-ab', 'a/b', 'a b', '']) {
      assert.throws(() => checkName(name), {
        message: `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      });
    }
  });
});

describe('checkResources', () => {
  const mega = 1024 * 1024;
  for (const [resources, message] of [
    [{ memory: 4 * mega }, 'Minimum memory limit allowed is 6MB'],
    [
      { memory: 100 * mega, memorySwap: 50 * mega },
      'Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [{ memorySwap: 50 * mega }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [{ nanoCpus: 10e9 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
    [{ nanoCpus: 1e9, cpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [{ cpusetCpus: '99' }, 'Requested CPUs are not available - requested 99, available: 0-1'],
    [{ cpusetCpus: 'x' }, 'Invalid value x for cpuset cpus'],
  ] as const) {
    test(`refuses with "${message}"`, () => assert.throws(() => checkResources(resources, limits), { message }));
  }
  test('warns where the kernel has no block I/O weight', () => {
    assert.match(checkResources({ blkioWeight: 300 }, { ...limits, blkioWeight: false })[0] ?? '', /Weight discarded/);
  });
  test('warns where the kernel cannot limit swap', () => {
    assert.equal(checkResources({ memory: 100 * mega }, { ...limits, swap: false }).length, 1);
    assert.deepEqual(checkResources({ memory: 100 * mega, nanoCpus: 2e9, cpusetCpus: '0-1' }, limits), []);
  });
});

describe('checkRestartPolicy', () => {
  test('refuses an unknown policy and a retry count without on-failure', () => {
    assert.throws(() => checkRestartPolicy({ name: 'foo' as 'no', maximumRetryCount: 0 }), /unknown policy 'foo'/);
    assert.throws(() => checkRestartPolicy({ name: 'always', maximumRetryCount: 1 }), /only be used with 'on-failure'/);
    checkRestartPolicy({ name: 'on-failure', maximumRetryCount: 3 });
  });
});
