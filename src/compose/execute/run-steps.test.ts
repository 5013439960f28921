import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../plan/index.ts';
import { combinedError, runSteps } from './run-steps.ts';

function step(id: string, after: string[] = [], afterEnd: string[] = []): Step {
  return { id, operation: { kind: 'remove-volume', name: id }, reason: 'test', after, afterEnd };
}

test('steps run after those they need, and an unknown id counts as done', async () => {
  const order: string[] = [];
  const failures = await runSteps([step('c', ['b']), step('b', ['a', 'gone']), step('a')], {
    run: async ({ id }) => void order.push(id),
    parallel: 0,
  });
  assert.deepEqual([order, failures], [['a', 'b', 'c'], []]);
});
test('a failure stops what comes after it and nothing else; all failures are told', async () => {
  const order: string[] = [];
  const failures = await runSteps(
    [step('bad'), step('after', ['bad']), step('other'), step('cleanup', [], ['bad']), step('bad2')],
    {
      run: async ({ id }) => {
        if (id.startsWith('bad')) throw new Error(`${id} failed`);
        order.push(id);
      },
      parallel: 0,
    },
  );
  assert.deepEqual(order.sort(), ['cleanup', 'other']);
  assert.equal(combinedError(failures).message, 'bad failed\nbad2 failed');
});
test('no more steps than allowed run at a time', async () => {
  let running = 0;
  let most = 0;
  await runSteps(
    ['a', 'b', 'c', 'd'].map((id) => step(id)),
    {
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      },
      parallel: 2,
    },
  );
  assert.equal(most, 2);
});
test('an abort begins nothing more', async () => {
  const end = new AbortController();
  const order: string[] = [];
  await runSteps([step('a'), step('b', ['a'])], {
    run: async ({ id }) => {
      order.push(id);
      end.abort();
    },
    parallel: 0,
    signal: end.signal,
  });
  assert.deepEqual(order, ['a']);
});
