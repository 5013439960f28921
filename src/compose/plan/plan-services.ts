import { notImplemented } from '#base';
import type { Service } from '../model/index.ts';
import { divergence } from './divergence.ts';
import { labels } from './labels.ts';
import { containerName, replacementName, resourceName, scaleOf } from './names.ts';
import type { ObservedContainer } from './observed.ts';
import { type ContainerRef, refOf } from './plan.ts';
import { planReplacement } from './plan-replacement.ts';
import { planRemove, planStop } from './plan-stop.ts';
import { canSwap, planSwap } from './plan-swap.ts';
import { resourceSteps, type ServicePlanState, stopDependents } from './service-plan-state.ts';

function planCreate(service: Service, number: number, state: ServicePlanState): void {
  const { builder, input } = state;
  const name = containerName(input.project.name, service, number);
  const container: ContainerRef = { key: `${service.name}#${number}`, service: service.name, name, number };
  const id = builder.add({
    id: `create ${container.key}`,
    operation: { kind: 'create-container', container, service, createName: name },
    reason: 'there is none yet',
    after: resourceSteps(service, state),
    display: { resource: resourceName('Container', name), begin: 'Creating', end: 'Created' },
  });
  builder.keep(container);
  state.ready.set(container.key, id);
  state.toStart.add(container.key);
}

function planRecreate(service: Service, old: ObservedContainer, state: ServicePlanState, reason: string): void {
  const { builder, input } = state;
  const name = containerName(input.project.name, service, old.number);
  const key = `${service.name}#${old.number}`;
  const resource = resourceName('Container', name);
  const previous = refOf(old);
  const gone = builder.has(`remove ${key}`);
  const { container, created } = planReplacement(service, old, state, {
    createName: gone ? name : replacementName(old, name),
    reason,
    after: gone ? [`remove ${key}`] : [],
    display: { resource, begin: 'Recreate', ...(gone ? { end: 'Recreated' } : {}) },
  });
  if (gone) return;
  const stopped = planStop(builder, previous, {
    service,
    reason,
    after: [created, ...stopDependents(service, state, [created])],
    timeout: input.timeout,
    running: old.state === 'running',
    silent: true,
  });
  const removed = builder.add({
    id: `remove ${key}`,
    operation: { kind: 'remove-container', container: previous, volumes: false, force: true },
    reason,
    after: [stopped, created],
  });
  const renamed = builder.add({
    id: `rename ${key}`,
    operation: { kind: 'rename-container', container, name },
    reason: 'the name is free now',
    after: [removed],
    display: { resource, end: 'Recreated' },
  });
  state.ready.set(key, renamed);
}

const leftoverName = /^[0-9a-f]{12}_/;

/**
 * Takes care of what an interrupted replacement left behind: while the old container is there the new one goes, else the
 * new one gets its name. Returns the containers that count.
 */
function settleLeftovers(service: Service, found: ObservedContainer[], state: ServicePlanState): ObservedContainer[] {
  const { builder, input } = state;
  const isLeftover = (container: ObservedContainer): boolean =>
    leftoverName.test(container.name) &&
    // After a swap it is the old one that has such a name, and the name begins with its own id.
    (container.labels[labels.replace] !== undefined || container.name.startsWith(container.id.slice(0, 12)));
  return found.flatMap((container) => {
    if (!isLeftover(container)) return [container];
    const reason = 'an interrupted replacement left it';
    const original = found.find((other) => other.number === container.number && !isLeftover(other));
    if (original !== undefined) {
      const ref = { ...refOf(container), key: `${container.service}#${container.name}` };
      const running = container.state === 'running';
      const { timeout } = input;
      const stopped = running ? [planStop(builder, ref, { service, reason, timeout, running, silent: true })] : [];
      builder.add({
        id: `remove ${ref.key}`,
        operation: { kind: 'remove-container', container: ref, volumes: false, force: true },
        reason,
        after: stopped,
        display: { resource: resourceName('Container', container.name), begin: 'Removing', end: 'Removed' },
      });
      return [];
    }
    const name = containerName(input.project.name, service, container.number);
    const renamed = builder.add({
      id: `rename left ${container.service}#${container.number}`,
      operation: { kind: 'rename-container', container: refOf(container), name },
      reason,
      after: [],
    });
    state.ready.set(refOf(container).key, renamed);
    return [{ ...container, name }];
  });
}

function keepContainer(container: ObservedContainer, state: ServicePlanState): void {
  const { builder, input } = state;
  const ref = refOf(container);
  builder.keep(ref);
  const stopStep = builder.has(`stop ${ref.key}`);
  if (container.state === 'running' && !stopStep) builder.unchanged(resourceName('Container', ref.name), 'Running');
  const startable = ['created', 'exited', 'dead'].includes(container.state) || stopStep;
  if (!startable || !input.start) return;
  state.toStart.add(ref.key);
  if (stopStep) state.ready.set(ref.key, `stop ${ref.key}`);
}

/** Plans the containers of one service; those it depends on have been planned before. Throws `not-implemented`. */
export function planService(service: Service, state: ServicePlanState): void {
  const { builder, input } = state;
  if (service.provider !== undefined) {
    throw notImplemented(
      `service "${service.name}": providers (here ${JSON.stringify(service.provider.type)}) are not supported; remove the key "provider" or leave the service out`,
    );
  }
  const expected = scaleOf(service);
  const policy = input.named.has(service.name) ? input.recreate : input.recreateDependencies;
  const all = input.observed.containers.filter(({ service: name, oneOff }) => name === service.name && !oneOff);
  const found = settleLeftovers(service, all, state);
  const compare = {
    project: input.project,
    resources: state.resources,
    hash: input.hash,
    imageId: input.imageIds[service.name],
    find: (name: string) =>
      builder.containersOf(name).flatMap((ref) => (ref.id === undefined ? [] : [{ ...ref, id: ref.id }])),
    renewedServices: state.renewed,
    policy,
  };
  const judged = found
    .map((container) => ({ container, reason: divergence(service, container, compare) }))
    .sort(
      (a, b) =>
        Number(a.reason !== undefined) - Number(b.reason !== undefined) || a.container.number - b.container.number,
    );
  for (const [index, { container, reason }] of judged.entries()) {
    if (index >= expected) {
      planRemove(builder, container, {
        service,
        reason: `the service has ${expected} containers`,
        after: [`rename left ${refOf(container).key}`],
        timeout: input.timeout,
      });
    } else if (reason !== undefined) {
      state.renewed.add(service.name);
      if (canSwap(service, container, state)) planSwap(service, container, state, reason);
      else planRecreate(service, container, state, reason);
    } else keepContainer(container, state);
  }
  const highest = Math.max(0, ...found.map(({ number }) => number));
  for (let index = 0; index < expected - found.length; index += 1) {
    state.renewed.add(service.name);
    planCreate(service, highest + 1 + index, state);
  }
}
