import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdStarts } from './hold-starts.ts';
import { PlanBuilder, type Step } from './plan.ts';

const ref = (key: string) => ({ key, service: key, name: key, number: 1 });

function step(id: string, after: string[] = []): Step {
  const kind = id.startsWith('start') ? ('start-container' as const) : ('stop-container' as const);
  return { id, operation: { kind, container: ref(id) }, reason: 'test', after };
}

test('starts come after all that does not come after a start itself', () => {
  const builder = new PlanBuilder();
  for (const one of [step('make a'), step('start a', ['make a']), step('make b'), step('end', ['start a'])]) {
    builder.add(one);
  }
  const held = holdStarts(builder.done());
  assert.deepEqual(held.steps.find(({ id }) => id === 'start a')?.afterEnd, ['make a', 'make b']);
  assert.equal(held.steps.find(({ id }) => id === 'end')?.afterEnd, undefined);
});
