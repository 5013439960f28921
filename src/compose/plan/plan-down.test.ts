import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDown, planStopAll } from './plan-down.ts';
import { stepIds, testContainer, testObserved, testProject, testService } from './planning-fixture.ts';

const db = testService('db');
const web = testService('web', { depends_on: { db: { condition: 'service_started', required: true } } });
const observed = testObserved([testContainer(db), testContainer(web)]);
const input = {
  projectName: 'app',
  observed,
  services: [],
  removeOrphans: false,
  volumes: false,
  images: [],
  timeout: undefined,
};

test('down stops what depends on others first, and removes networks last', () => {
  const plan = planDown({ ...input, project: testProject([db, web]) });
  const find = (id: string) => plan.steps.find((step) => step.id === id);
  assert.deepEqual(find('stop db#1')?.after, ['stop web#1']);
  assert.deepEqual(find('remove network app_default')?.after, ['remove db#1', 'remove web#1']);
});
test('with volumes, a container goes after those that may share its anonymous volumes', () => {
  const plan = planDown({ ...input, project: testProject([db, web]), volumes: true });
  assert.deepEqual(plan.steps.find(({ id }) => id === 'remove db#1')?.after, ['stop db#1', 'remove web#1']);
});
test('without a file the labels say what depends on what', () => {
  const plan = planDown({ ...input, project: undefined });
  assert.deepEqual(plan.steps.find(({ id }) => id === 'stop db#1')?.after, ['stop web#1']);
});
test('down leaves orphans alone unless it is told to remove them', () => {
  const project = testProject([db]);
  assert.ok(!stepIds(planDown({ ...input, project })).includes('remove web#1'));
  assert.ok(stepIds(planDown({ ...input, project, removeOrphans: true })).includes('remove web#1'));
});
test('stop waits for dependents; it is also told of containers that do not run', () => {
  const containers = [testContainer(db), testContainer(web), testContainer(web, 2, { state: 'exited' })];
  const plan = planStopAll({ project: testProject([db, web]), containers, timeout: 3 });
  assert.deepEqual(stepIds(plan), ['stop db#1', 'stop web#1', 'stop web#2']);
  assert.deepEqual(plan.steps[0]?.after, ['stop web#1', 'stop web#2']);
});
