import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkResources } from './check-resources.ts';

const limits = { cpus: 2, memoryNodes: [0], swap: true, blkioWeight: true } as const;
const mega = 1024 * 1024;

describe('checkResources', () => {
  /** Limits and what dockerd 28.5.2 says to them. */
  for (const [resources, message] of [
    [{ memory: 4 * mega }, 'Minimum memory limit allowed is 6MB'],
    [{ memory: -5 }, 'Minimum memory limit allowed is 6MB'],
    [
      { memory: 100 * mega, memorySwap: 50 * mega },
      'Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [{ memorySwap: 50 * mega }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [{ memorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100'],
    [{ nanoCpus: 10e9 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
    [{ nanoCpus: -1 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
    [{ nanoCpus: 1e9, cpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [{ cpuPeriod: 1 }, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
    [{ cpuQuota: 1 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
    [
      { cpuRealtimePeriod: 1000, cpuRealtimeRuntime: 2000 },
      'cpu real-time runtime cannot be higher than cpu real-time period',
    ],
    [{ cpusetCpus: '99' }, 'Requested CPUs are not available - requested 99, available: 0-1'],
    [{ cpusetCpus: 'x' }, 'Invalid value x for cpuset cpus: invalid format: x'],
    [{ cpusetCpus: '1-0' }, 'Invalid value 1-0 for cpuset cpus: invalid format: 1-0'],
    [{ cpusetCpus: '9999' }, 'Invalid value 9999 for cpuset cpus: value of out range, maximum is 8192'],
    [{ cpusetMems: '9' }, 'Requested memory nodes are not available - requested 9, available: 0'],
    [{ blkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000'],
  ] as const) {
    test(`refuses ${JSON.stringify(resources)} as dockerd does`, () => {
      assert.throws(() => checkResources(resources, limits), { kind: 'invalid', message });
    });
  }

  test('takes what stands for "no limit"', () => {
    assert.deepEqual(checkResources({ pidsLimit: -1, cpuQuota: -1, nanoCpus: 1e9, memorySwap: -1 }, limits), []);
  });

  test('drops block I/O weights unread, with a warning, where the kernel has none', () => {
    const found = checkResources(
      { blkioWeight: 5, blkioWeightDevice: [{ path: '/dev/none', weight: 1 }] },
      { ...limits, blkioWeight: false },
    );
    assert.equal(found.length, 2);
    assert.match(found[0] ?? '', /Weight discarded/);
    assert.match(found[1] ?? '', /Weight-device discarded/);
  });

  test('warns where the kernel cannot limit swap, and of a container that nothing stops from taking all memory', () => {
    assert.equal(checkResources({ memory: 100 * mega }, { ...limits, swap: false }).length, 1);
    assert.deepEqual(checkResources({ memory: 100 * mega, nanoCpus: 2e9, cpusetCpus: '0-1' }, limits), []);
    assert.match(checkResources({ oomKillDisable: true }, limits)[0] ?? '', /no memory limit is set/);
  });

  test('lets an update name a swap limit alone', () => {
    assert.deepEqual(checkResources({ memorySwap: 50 * mega }, limits, { update: true }), []);
  });
});
