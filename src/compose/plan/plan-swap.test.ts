import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../model/index.ts';
import { planUp } from './plan-up.ts';
import { stepIds, testContainer, testInput, testObserved, testProject, testService } from './planning-fixture.ts';
import type { UpPlanInput } from './up-input.ts';

const old = testService('web');
const web = testService('web', { 'x-update': 'start-first', hostname: 'new' });

function plan(service: Service, overrides: Partial<UpPlanInput> = {}, numbers = [1]) {
  const containers = numbers.map((number) => testContainer(old, number));
  return planUp(testInput(testProject([service]), testObserved(containers), overrides));
}

test('the new container starts beside the old one, which stops only after it was replaced', () => {
  assert.deepEqual(stepIds(plan(web)), [
    'create web#1',
    'start web#1',
    'prove web#1',
    'take over web#1',
    'drain web#1',
    'stop web#1',
    'remove web#1',
  ]);
});

test('every step until the change removes the new container when it fails', () => {
  const rescued = plan(web).steps.filter(({ rescue }) => rescue !== undefined);
  assert.deepEqual(
    rescued.map(({ id }) => id),
    ['start web#1', 'prove web#1', 'take over web#1'],
  );
  assert.deepEqual(
    rescued[0]?.rescue?.operations.map(({ kind }) => kind),
    ['remove-container'],
  );
});

test('containers of one service are swapped one after the other', () => {
  const two = plan({ ...web, scale: 2 }, {}, [1, 2]);
  const second = two.steps.find(({ id }) => id === 'create web#2');
  assert.ok(second?.after.includes('remove web#1'));
});

test('where two containers cannot be in one place the old one is stopped first, with a warning that says why', () => {
  const host = plan({ ...web, networks: {}, network_mode: 'host' });
  assert.ok(!stepIds(host).includes('take over web#1'));
  assert.match(host.warnings[0] ?? '', /service "web" is stopped first, .* network_mode host/);
  const fixed = plan({ ...web, networks: { default: { ipv4_address: '10.9.0.5' } } });
  assert.match(fixed.warnings[0] ?? '', /only one container can have 10.9.0.5 on network default/);
  const docker = plan(web, { cannotSwap: 'this engine cannot' });
  assert.match(docker.warnings[0] ?? '', /this engine cannot/);
});

test('what a swap left behind is cleaned up: the old container under a name with its own id', () => {
  const now = testContainer(web);
  const left = testContainer(old, 1, { id: 'abcdef012345', name: 'abcdef012345_app-web-1' });
  const steps = stepIds(planUp(testInput(testProject([web]), testObserved([left, now]))));
  assert.deepEqual(steps, ['stop web#abcdef012345_app-web-1', 'remove web#abcdef012345_app-web-1']);
});

test('a service that is restarted with its dependency is swapped after it, or stopped first when it is', () => {
  const needs = { web: { condition: 'service_started', required: true, restart: true } } as const;
  const before = [old, testService('front', { depends_on: needs })].map((service) => testContainer(service));
  const front = testService('front', { depends_on: needs, 'x-update': 'start-first', hostname: 'new' });
  const stopOf = (dependency: Service) => {
    const { steps, warnings } = planUp(testInput(testProject([dependency, front]), testObserved(before)));
    return { after: steps.find(({ id }) => id === 'stop front#1')?.after, warnings };
  };
  assert.deepEqual(stopOf(web), { after: ['drain front#1'], warnings: [] });
  const stopped = stopOf(testService('web', { hostname: 'new' }));
  assert.deepEqual(stopped.after, ['create web#1']);
  assert.match(stopped.warnings[0] ?? '', /front.*service web, which it is restarted with, is stopped first/);
});
