import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContainerStats, StatsPair } from '../containers.ts';
import type { LiveContainer } from '../live-container.ts';
import { StatsSampler } from './stats-sampler.ts';

const container = (id: string) => ({ id, name: id }) as LiveContainer;

/** A sampler over counters that go up with each reading; `reads` tells whose turn it was. */
function sampler(interval: number) {
  const reads: string[] = [];
  const gone = new Set<string>();
  const made = new StatsSampler({
    interval,
    exists: ({ id }) => !gone.has(id),
    read: async ({ id, name }): Promise<ContainerStats> => {
      reads.push(id);
      return { container: { id, name }, current: undefined, interfaces: { eth0: { reads: reads.length } } };
    },
  });
  return { sampler: made, reads, gone };
}

async function take(pairs: AsyncIterable<StatsPair>, count: number): Promise<StatsPair[]> {
  const taken: StatsPair[] = [];
  for await (const pair of pairs) if (taken.push(pair) === count) break;
  return taken;
}

describe('StatsSampler', () => {
  test('gives a first sample at once and then pairs', async () => {
    const { sampler: one } = sampler(5);
    const [first, second, third] = await take(one.watch(container('a'), new AbortController().signal), 3);
    assert.equal(first?.before, undefined);
    assert.equal(second?.before, first?.sample);
    assert.equal(third?.before, second?.sample);
  });

  test('reads a container once for all who watch it, and all containers in one pass', async () => {
    const { sampler: one, reads } = sampler(3_600_000);
    const watches = ['a', 'b', 'a', 'a'].map((id) => take(one.watch(container(id), new AbortController().signal), 1));
    await Promise.all(watches);
    assert.deepEqual(reads, ['a', 'b']);
  });

  test('reads nothing when nobody watches', async () => {
    const { sampler: one, reads } = sampler(1);
    await take(one.watch(container('a'), new AbortController().signal), 2);
    const soFar = reads.length;
    await take(one.watch(container('b'), new AbortController().signal), 5);
    assert.deepEqual(
      reads.slice(soFar).filter((id) => id === 'a'),
      [],
    );
  });

  test('ends a watch when its client goes, when the container is removed, and at shutdown', async () => {
    const { sampler: one, gone } = sampler(5);
    const client = new AbortController();
    const left = take(one.watch(container('a'), client.signal), 1e9);
    client.abort();
    await left;
    const removed = one.watch(container('b'), new AbortController().signal);
    await removed.next();
    gone.add('b');
    while (!(await removed.next()).done);
    const last = take(one.watch(container('c'), new AbortController().signal), 1e9);
    one.shutdown();
    assert.ok((await last).length <= 1);
  });
});
