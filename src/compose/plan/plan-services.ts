import { notImplemented } from '#base';
import type { Service } from '../model/index.ts';
import { divergence } from './divergence.ts';
import { labels } from './labels.ts';
import { containerName, resourceName, scaleOf } from './names.ts';
import type { ObservedContainer } from './observed.ts';
import { type ContainerRef, type PlanBuilder, refOf } from './plan.ts';
import type { PlannedResources } from './plan-resources.ts';
import { joinedServices } from './references.ts';
import type { UpPlanInput } from './up-input.ts';

/** The planner's notes while it goes through the services in dependency order. */
export interface ServicePlanState {
  readonly builder: PlanBuilder;
  readonly input: UpPlanInput;
  readonly resources: PlannedResources;
  /** Services of which a container is made. */
  readonly renewed: Set<string>;
  /** Container keys that must be started. */
  readonly toStart: Set<string>;
  /** Last step before a container, by key, can be started. */
  readonly ready: Map<string, string>;
}

/** Steps that stop a container, its `pre_stop` hooks first; returns the last. Doing it twice in a plan is one stop. */
export function planStop(
  builder: PlanBuilder,
  ref: ContainerRef,
  options: {
    service?: Service | undefined;
    reason: string;
    after?: readonly string[];
    timeout?: number | undefined;
    running: boolean;
    silent?: boolean;
  },
): string {
  const { service, reason, after = [], timeout, running, silent } = options;
  let last = after;
  if (running) {
    for (const [index, hook] of (service?.pre_stop ?? []).entries()) {
      const id = `pre-stop ${ref.key} ${index}`;
      last = [builder.add({ id, operation: { kind: 'run-hook', container: ref, hook }, reason, after: last })];
    }
  }
  const resource = resourceName('Container', ref.name);
  return builder.add({
    id: `stop ${ref.key}`,
    operation: { kind: 'stop-container', container: ref, ...(timeout === undefined ? {} : { timeout }) },
    reason,
    after: last,
    ...(silent ? {} : { display: { resource, begin: 'Stopping', end: 'Stopped' } }),
  });
}

/** Steps that stop and remove a container; returns the last. */
export function planRemove(
  builder: PlanBuilder,
  container: ObservedContainer,
  options: {
    service?: Service | undefined;
    reason: string;
    after?: readonly string[];
    timeout?: number | undefined;
    volumes?: boolean;
    /** What the removal, but not the stop, also comes after. */
    removeAfter?: readonly string[];
  },
): string {
  const { reason, volumes = false, removeAfter = [] } = options;
  const ref = refOf(container);
  const running = container.state === 'running';
  const stopped = planStop(builder, ref, { ...options, running });
  return builder.add({
    id: `remove ${ref.key}`,
    operation: { kind: 'remove-container', container: ref, volumes, force: true },
    reason,
    after: [stopped, ...removeAfter],
    display: { resource: resourceName('Container', ref.name), begin: 'Removing', end: 'Removed' },
  });
}

function resourceSteps(service: Service, state: ServicePlanState): string[] {
  const networks = Object.keys(service.networks ?? {}).map((key) => state.resources.networkSteps.get(key));
  const volumes = (service.volumes ?? []).map(({ source = '' }) => state.resources.volumeSteps.get(source));
  const joined = joinedServices(service).flatMap((name) =>
    state.builder.containersOf(name).map(({ key }) => state.ready.get(key)),
  );
  return [...networks, ...volumes, ...joined].filter((step) => step !== undefined);
}

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

/** Running containers of services that want to be restarted with this one are stopped first, and started again after. */
function stopDependents(service: Service, state: ServicePlanState, after: string[]): string[] {
  const { builder, input } = state;
  return Object.values(input.project.services).flatMap((dependent) => {
    if (dependent.depends_on?.[service.name]?.restart !== true || !input.selected.has(dependent.name)) return [];
    return input.observed.containers
      .filter((container) => container.service === dependent.name && !container.oneOff && container.state === 'running')
      .map((container) =>
        planStop(builder, refOf(container), {
          service: dependent,
          reason: `service ${service.name}, which it depends on, gets a new container`,
          after,
          timeout: input.timeout,
          running: true,
        }),
      );
  });
}

function planRecreate(service: Service, old: ObservedContainer, state: ServicePlanState, reason: string): void {
  const { builder, input } = state;
  const name = containerName(input.project.name, service, old.number);
  const key = `${service.name}#${old.number}`;
  const container: ContainerRef = { key, service: service.name, name, number: old.number };
  const resource = resourceName('Container', name);
  const previous = refOf(old);
  const gone = builder.has(`remove ${key}`);
  const created = builder.add({
    id: `create ${key}`,
    operation: {
      kind: 'create-container',
      container,
      service,
      createName: gone ? name : `${old.id.slice(0, 12)}_${name}`,
      replaces: service.container_name ?? `${service.name}-${old.number}`,
      ...(input.renewAnonymousVolumes ? {} : { inherit: old }),
    },
    reason,
    after: [...resourceSteps(service, state), ...(gone ? [`remove ${key}`] : [])],
    display: { resource, begin: 'Recreate', ...(gone ? { end: 'Recreated' } : {}) },
  });
  builder.keep(container);
  state.toStart.add(key);
  state.ready.set(key, created);
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
    leftoverName.test(container.name) && container.labels[labels.replace] !== undefined;
  return found.flatMap((container) => {
    if (!isLeftover(container)) return [container];
    const reason = 'an interrupted replacement left it';
    const original = found.find((other) => other.number === container.number && !isLeftover(other));
    if (original !== undefined) {
      const ref = { ...refOf(container), key: `${container.service}#${container.name}` };
      builder.add({
        id: `remove ${ref.key}`,
        operation: { kind: 'remove-container', container: ref, volumes: false, force: true },
        reason,
        after: [],
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
        timeout: input.timeout,
      });
    } else if (reason !== undefined) {
      state.renewed.add(service.name);
      planRecreate(service, container, state, reason);
    } else keepContainer(container, state);
  }
  const highest = Math.max(0, ...found.map(({ number }) => number));
  for (let index = 0; index < expected - found.length; index += 1) {
    state.renewed.add(service.name);
    planCreate(service, highest + 1 + index, state);
  }
}
