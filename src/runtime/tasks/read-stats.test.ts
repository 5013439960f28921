import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isBerthError } from '#base';
import { Cgroup, type CgroupLayout } from '#host';
import { MachineCounters, parseCpuTime } from './machine-counters.ts';
import { readOutOfMemory } from './out-of-memory.ts';
import { readStats } from './read-stats.ts';

/** A cgroup of files as a kernel has them, in a directory that goes with it. */
function recorded(kind: CgroupLayout['kind'], files: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  const root = mkdtempSync(join(tmpdir(), 'runtime-cgroup-'));
  const controllers = Object.keys(files);
  for (const [controller, content] of Object.entries(files)) {
    const directory = join(root, kind === 'v2' ? '' : controller, 'berth/one');
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(content)) writeFileSync(join(directory, name), text);
  }
  const hierarchies =
    kind === 'v2'
      ? [{ mountpoint: root, controllers }]
      : controllers.map((controller) => ({ mountpoint: join(root, controller), controllers: [controller] }));
  return {
    cgroup: new Cgroup({ kind, hierarchies }, '/berth/one'),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

const machine = new MachineCounters();

describe('readStats', () => {
  it('reads the files of cgroup v2', () => {
    using tree = recorded('v2', {
      cpu: {
        'cpu.stat':
          'usage_usec 900\nuser_usec 500\nsystem_usec 400\nnr_periods 7\nnr_throttled 2\nthrottled_usec 30\n' +
          'nr_bursts 0\nburst_usec 0\n',
      },
      memory: {
        'memory.current': '5242880\n',
        'memory.peak': '6291456\n',
        'memory.max': '67108864\n',
        'memory.events': 'low 0\nhigh 0\nmax 9\noom 3\noom_kill 1\noom_group_kill 0\n',
        'memory.stat': 'anon 1000\nfile 2000\ninactive_file 500\n',
      },
      pids: { 'pids.current': '4\n', 'pids.max': 'max\n' },
      io: { 'io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n' },
    });
    const stats = readStats(tree.cgroup, machine);
    const { systemNs, online, ...cpu } = stats.cpu;
    assert.ok(systemNs > 0 && online > 0);
    assert.deepEqual(cpu, {
      totalNs: 900_000,
      userNs: 500_000,
      kernelNs: 400_000,
      perCpuNs: [],
      periods: 7,
      throttledPeriods: 2,
      throttledNs: 30_000,
    });
    assert.deepEqual(stats.memory, {
      usage: 5_242_880,
      maxUsage: 6_291_456,
      limit: 67_108_864,
      failures: 3,
      stats: { anon: 1000, file: 2000, inactive_file: 500 },
    });
    assert.deepEqual(stats.pids, { current: 4, limit: 0 });
    assert.deepEqual(stats.blockIo, [
      { major: 8, minor: 0, op: 'read', bytes: 4096, operations: 1 },
      { major: 8, minor: 0, op: 'write', bytes: 8192, operations: 2 },
    ]);
  });

  it('takes zeros for v2 controllers that are off, and the memory of the machine for no limit', () => {
    using tree = recorded('v2', { cpu: { 'cpu.stat': 'usage_usec 1\nuser_usec 1\nsystem_usec 0\n' } });
    const { memory, pids, blockIo } = readStats(tree.cgroup, machine);
    assert.deepEqual(memory, { usage: 0, maxUsage: 0, limit: machine.read().memory, failures: 0, stats: {} });
    assert.deepEqual([pids, blockIo], [{ current: 0, limit: 0 }, []]);
  });

  it('reads the files of cgroup v1', () => {
    using tree = recorded('v1', {
      cpuacct: {
        'cpuacct.usage_percpu': '300 600 \n',
        'cpuacct.usage_all': 'cpu user system\n0 100 200\n1 400 200\n',
      },
      cpu: { 'cpu.stat': 'nr_periods 7\nnr_throttled 2\nthrottled_time 30\n' },
      memory: {
        'memory.usage_in_bytes': '100\n',
        'memory.max_usage_in_bytes': '200\n',
        'memory.failcnt': '5\n',
        'memory.stat': 'cache 60\nhierarchical_memory_limit 9223372036854771712\ntotal_inactive_file 10\n',
      },
      pids: { 'pids.current': '4\n', 'pids.max': '50\n' },
      blkio: {
        'blkio.throttle.io_service_bytes_recursive': '254:0 Read 4096\n254:0 Write 0\nTotal 4096\n',
        'blkio.throttle.io_serviced_recursive': '254:0 Read 1\n254:0 Write 0\nTotal 1\n',
      },
    });
    const { cpu, memory, pids, blockIo } = readStats(tree.cgroup, machine);
    assert.deepEqual([cpu.totalNs, cpu.userNs, cpu.kernelNs, cpu.perCpuNs], [900, 500, 400, [300, 600]]);
    assert.deepEqual([cpu.periods, cpu.throttledPeriods, cpu.throttledNs], [7, 2, 30]);
    assert.deepEqual([memory.usage, memory.maxUsage, memory.failures], [100, 200, 5]);
    assert.equal(memory.limit, machine.read().memory);
    assert.deepEqual(pids, { current: 4, limit: 50 });
    assert.deepEqual(blockIo, [
      { major: 254, minor: 0, op: 'read', bytes: 4096, operations: 1 },
      { major: 254, minor: 0, op: 'write', bytes: 0, operations: 0 },
    ]);
  });

  it('says not-found of a cgroup that is gone', () => {
    for (const kind of ['v1', 'v2'] as const) {
      using tree = recorded(kind, { cpu: {}, memory: {}, pids: {} });
      assert.throws(
        () => readStats(tree.cgroup, machine),
        (error) => isBerthError(error, 'not-found'),
      );
    }
  });
});

it('readOutOfMemory knows where each version tells of kills', async () => {
  using v2 = recorded('v2', { memory: { 'memory.events': 'oom 3\noom_kill 1\n' } });
  assert.equal(await readOutOfMemory(v2.cgroup), true);
  using v1 = recorded('v1', { memory: { 'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 0\n' } });
  assert.equal(await readOutOfMemory(v1.cgroup), false);
});

it('parseCpuTime sums the first line without guest time and counts CPUs', () => {
  const text = 'cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 5\n';
  assert.deepEqual(parseCpuTime(text), { systemNs: 360_000_000, online: 2 });
});
