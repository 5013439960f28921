import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labels } from './labels.ts';
import { replacementName } from './names.ts';
import type { Plan, Step } from './plan.ts';
import { planUp } from './plan-up.ts';
import { stepIds, testContainer, testInput, testObserved, testProject, testService } from './planning-fixture.ts';

const nothing = { containers: [], networks: [], volumes: [] };

function step(plan: Plan, id: string): Step {
  const found = plan.steps.find((one) => one.id === id);
  assert.ok(found, `no step ${id} in ${stepIds(plan).join(', ')}`);
  return found;
}

test('a new project gets its network, its containers, and their starts, each after what it needs', () => {
  const web = testService('web', { depends_on: { db: { condition: 'service_started', required: true } } });
  const plan = planUp(testInput(testProject([web, testService('db')]), nothing));
  assert.deepEqual(stepIds(plan).sort(), [
    'create db#1',
    'create web#1',
    'network default',
    'start db#1',
    'start web#1',
  ]);
  assert.deepEqual(step(plan, 'create web#1').after, ['network default']);
  assert.deepEqual(step(plan, 'start web#1').after, ['create web#1', 'start db#1']);
});
test('what is as it should be is left alone', () => {
  const services = [testService('web'), testService('db')];
  const plan = planUp(testInput(testProject(services), testObserved(services.map((one) => testContainer(one)))));
  assert.deepEqual(plan.steps, []);
  assert.deepEqual(plan.unchanged.map(({ resource }) => resource).sort(), [
    'Container app-db-1',
    'Container app-web-1',
  ]);
});
test('only the service that changed is recreated, under another name until the old one is gone', () => {
  const web = testService('web');
  const db = testService('db');
  const changed = { ...web, command: ['other'] };
  const observed = testObserved([testContainer(web), testContainer(db)]);
  const plan = planUp(testInput(testProject([changed, db]), observed));
  assert.deepEqual(stepIds(plan), ['create web#1', 'stop web#1', 'remove web#1', 'rename web#1', 'start web#1']);
  const { operation, reason } = step(plan, 'create web#1');
  assert.equal(reason, 'its configuration changed');
  assert.ok(operation.kind === 'create-container' && operation.createName.endsWith('_app-web-1'));
  assert.equal(operation.inherit?.name, 'app-web-1');
});
test('a new image recreates, --no-recreate does not, --force-recreate always does', () => {
  const web = testService('web');
  const project = testProject([web]);
  const observed = testObserved([testContainer(web)]);
  const other = { imageIds: { web: 'sha256:other' } };
  assert.ok(stepIds(planUp(testInput(project, observed, other))).includes('create web#1'));
  assert.deepEqual(planUp(testInput(project, observed, { ...other, recreate: 'never' })).steps, []);
  assert.ok(stepIds(planUp(testInput(project, observed, { recreate: 'force' }))).includes('create web#1'));
});
test('a service that shares the network of one that is recreated is recreated, too, after it', () => {
  const db = testService('db');
  const needs = { db: { condition: 'service_started', required: true, restart: true } } as const;
  const side = testService('side', { network_mode: 'service:db', networks: {}, depends_on: needs });
  const observed = testObserved([testContainer(db), testContainer(side)]);
  const plan = planUp(testInput(testProject([{ ...db, command: ['other'] }, side]), observed));
  assert.deepEqual(step(plan, 'create side#1').after, ['rename db#1']);
});
test('a dependent that wants to be restarted is stopped before and started after', () => {
  const db = testService('db');
  const needs = { db: { condition: 'service_started', required: true, restart: true } } as const;
  const web = testService('web', { depends_on: needs });
  const observed = testObserved([testContainer(db), testContainer(web)]);
  const plan = planUp(testInput(testProject([{ ...db, command: ['other'] }, web]), observed));
  assert.ok(step(plan, 'stop db#1').after.includes('stop web#1'));
  assert.deepEqual(step(plan, 'start web#1').after, ['stop web#1', 'start db#1']);
});
test('scaling up fills in new numbers, scaling down takes the highest', () => {
  const web = testService('web', { scale: 3 });
  const up = planUp(testInput(testProject([web]), testObserved([testContainer(web)])));
  assert.deepEqual(stepIds(up), ['create web#2', 'create web#3', 'start web#2', 'start web#3']);
  const three = [1, 2, 3].map((number) => testContainer(web, number));
  const down = planUp(testInput(testProject([{ ...web, scale: 1 }]), testObserved(three)));
  assert.deepEqual(stepIds(down), ['stop web#2', 'remove web#2', 'stop web#3', 'remove web#3']);
});
test('conditions become waits that come after the start of what is waited for', () => {
  const needs = {
    db: { condition: 'service_healthy', required: true },
    job: { condition: 'service_completed_successfully', required: false },
  } as const;
  const web = testService('web', { depends_on: needs });
  const plan = planUp(testInput(testProject([web, testService('db'), testService('job')]), nothing));
  assert.deepEqual(step(plan, 'wait db service_healthy').after, ['start db#1']);
  assert.deepEqual(step(plan, 'wait job service_completed_successfully optional').afterEnd, ['start job#1']);
  assert.ok(step(plan, 'start web#1').after.includes('wait db service_healthy'));
});
test('a replacement that was interrupted is finished: renamed, or removed while the old container is there', () => {
  const web = testService('web');
  const left = testContainer(web, 1, {
    id: 'feedfeedfeed',
    name: '0123456789ab_app-web-1',
    state: 'created',
    labels: { ...testContainer(web).labels, [labels.replace]: 'web-1' },
  });
  const alone = planUp(testInput(testProject([web]), testObserved([left])));
  assert.deepEqual(stepIds(alone), ['rename left web#1', 'start web#1']);
  const both = planUp(testInput(testProject([web]), testObserved([testContainer(web), left])));
  assert.deepEqual(stepIds(both), ['remove web#0123456789ab_app-web-1']);
});
test('a replacement is made only when the one that an interruption left under its name is gone', () => {
  const web = testService('web');
  const old = testContainer(web, 1, { id: '0123456789abcdef' });
  const left = testContainer(web, 1, {
    id: 'feedfeedfeed',
    name: replacementName(old, old.name),
    labels: { ...old.labels, [labels.replace]: 'web-1' },
  });
  const changed = { ...web, command: ['other'] };
  for (const service of [changed, { ...changed, 'x-update': 'start-first' }]) {
    const plan = planUp(testInput(testProject([service]), testObserved([old, left])));
    assert.ok(step(plan, 'create web#1').after.includes(`remove web#${left.name}`));
  }
  const alone = planUp(testInput(testProject([changed]), testObserved([left])));
  assert.ok(step(alone, 'create web#1').after.includes('rename left web#1'));
});
test('orphans are told of, or removed when asked for', () => {
  const web = testService('web');
  const observed = testObserved([testContainer(web), testContainer(testService('old'))]);
  const told = planUp(testInput(testProject([web]), observed));
  assert.match(told.warnings[0] ?? '', /Found orphan containers \(\[app-old-1\]\)/);
  const removed = planUp(testInput(testProject([web]), observed, { removeOrphans: true }));
  assert.deepEqual(stepIds(removed), ['stop old#1', 'remove old#1']);
});
test('an external network or volume that is missing is an error that names it', () => {
  const web = testService('web', { networks: { shared: null } });
  const networks = { shared: { name: 'shared', external: true, ipam: {} } };
  assert.throws(() => planUp(testInput(testProject([web], { networks }), nothing)), {
    message: 'network shared declared as external, but could not be found',
  });
});
test('a network that changed is made anew, and so are the containers on it', () => {
  const web = testService('web');
  const observed = testObserved([testContainer(web)]);
  const network = observed.networks[0];
  assert.ok(network);
  const old = { ...network, labels: { ...network.labels, [labels.configHash]: 'other' } };
  const plan = planUp(testInput(testProject([web]), { ...observed, networks: [old] }));
  assert.deepEqual(step(plan, 'network default').after, ['remove network app_default']);
  assert.deepEqual(step(plan, 'remove network app_default').after, ['disconnect web#1 app_default']);
  assert.ok(step(plan, 'create web#1').after.includes('network default'));
});
