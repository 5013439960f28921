import { notFound } from '#base';
import { executePlan, executeWithin, observeContainers } from '../execute/index.ts';
import {
  dependenciesOf,
  inDependencyOrder,
  type ObservedContainer,
  type Operation,
  type Plan,
  PlanBuilder,
  planStart,
  planStopAll,
  planWaits,
  refOf,
  resourceName,
} from '../plan/index.ts';
import type { ComposeContext } from './context.ts';
import { projectOfContainers } from './project-of-containers.ts';
import { containersOfServices } from './select-services.ts';

/** Which containers a command is about, and how long it may take. */
export interface LifecycleOptions {
  /** Services; all when empty. */
  readonly services: readonly string[];
  /** Seconds until a container is killed; its own time when absent. */
  readonly timeout?: number | undefined;
  readonly dryRun: boolean;
}

async function chosen(context: ComposeContext, options: { services: readonly string[]; oneOff?: boolean }) {
  const containers = await observeContainers(context.client, context.projectName);
  return containersOfServices(containers, options.services, options);
}

/** Whether a container's processes are there. */
function isUp(state: string): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused';
}

async function perform(context: ComposeContext, plan: Plan, dryRun: boolean): Promise<Plan> {
  if (!dryRun) await executePlan(plan, context);
  return plan;
}

/** Stops containers, those that depend on others first. */
export async function stop(context: ComposeContext, options: LifecycleOptions): Promise<Plan> {
  const containers = await chosen(context, options);
  const plan = planStopAll({ project: context.project, containers, timeout: options.timeout });
  return perform(context, plan, options.dryRun);
}

/** How containers are started. */
export interface StartOptions extends LifecycleOptions {
  /** Wait until they run or are healthy. */
  readonly wait?: boolean;
  /** Most seconds to wait; no limit when absent. */
  readonly waitTimeout?: number | undefined;
}

/** Starts containers that are there, in dependency order and with its conditions. Throws `not-found` where there are none. */
export async function start(context: ComposeContext, options: StartOptions): Promise<Plan> {
  const containers = await chosen(context, { services: [] });
  if (containers.length === 0 && context.project === undefined) {
    throw notFound(`no container found for project "${context.projectName}": not found`);
  }
  const builder = new PlanBuilder();
  const project = context.project ?? projectOfContainers(context.projectName, containers);
  for (const container of containers) builder.keep(refOf(container));
  for (const service of inDependencyOrder(project)) {
    if (options.services.length > 0 && !options.services.includes(service.name)) continue;
    const own = containers.filter((container) => container.service === service.name);
    if (own.length === 0 && (service.scale ?? service.deploy?.replicas ?? 1) > 0) {
      throw notFound(`service "${service.name}" has no container to start`);
    }
    for (const container of own) {
      if (container.state === 'running') continue;
      planStart(service, refOf(container), { builder, project, waitFor: () => true, ready: undefined });
    }
    if (options.wait) planWaits(builder, project, service.name);
  }
  const plan = builder.done();
  if (!options.dryRun) await executeWithin(plan, { ...context, project }, options.waitTimeout);
  return plan;
}

/** Restarts containers in dependency order; dependents that ask for it are restarted, too, unless `noDeps`. */
export async function restart(context: ComposeContext, options: LifecycleOptions & { noDeps: boolean }): Promise<Plan> {
  const all = await chosen(context, { services: [] });
  const names = new Set(options.services.length > 0 ? options.services : all.map(({ service }) => service));
  const services = context.project?.services ?? {};
  if (!options.noDeps) {
    for (const { name, depends_on } of context.project ? inDependencyOrder(context.project) : []) {
      if (Object.entries(depends_on ?? {}).some(([on, { restart: also }]) => also === true && names.has(on)))
        names.add(name);
    }
  }
  const builder = new PlanBuilder();
  const containers = all.filter(({ service }) => names.has(service));
  for (const container of containers) {
    const before = options.noDeps ? [] : dependenciesOf(container, services);
    const ref = refOf(container);
    builder.add({
      id: `restart ${ref.key}`,
      operation: {
        kind: 'restart-container',
        container: ref,
        ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      },
      reason: 'it is told to be',
      after: containers.filter(({ service }) => before.includes(service)).map((other) => `restart ${refOf(other).key}`),
      display: { resource: resourceName('Container', ref.name), begin: 'Restarting', end: 'Started' },
    });
  }
  return perform(context, builder.done(), options.dryRun);
}

function planEach(
  containers: readonly ObservedContainer[],
  make: (container: ObservedContainer) => { operation: Operation; begin?: string; end: string },
): Plan {
  const builder = new PlanBuilder();
  for (const container of containers) {
    const { operation, ...display } = make(container);
    builder.add({
      id: `${operation.kind} ${refOf(container).key}`,
      operation,
      reason: 'it is told to be',
      after: [],
      display: { resource: resourceName('Container', container.name), ...display },
    });
  }
  return builder.done();
}

/** Sends a signal to running containers; the plan is empty when there is none. */
export async function kill(
  context: ComposeContext,
  options: { services: readonly string[]; signal: string; removeOrphans: boolean; dryRun: boolean },
): Promise<Plan> {
  const containers = (await chosen(context, { services: options.services, oneOff: true })).filter(
    ({ state, service }) =>
      state === 'running' &&
      (context.project === undefined || options.removeOrphans || context.project.services[service] !== undefined),
  );
  const plan = planEach(containers, (container) => ({
    operation: { kind: 'kill-container', container: refOf(container), signal: options.signal },
    begin: 'Killing',
    end: 'Killed',
  }));
  return perform(context, plan, options.dryRun);
}

/** Pauses containers that run, or lets them go on. Throws the engine's refusal for one that is in that state already. */
export async function pause(
  context: ComposeContext,
  options: { services: readonly string[]; resume: boolean; dryRun: boolean },
): Promise<Plan> {
  const containers = (await chosen(context, options)).filter(({ state }) => isUp(state));
  const plan = planEach(containers, (container) =>
    options.resume
      ? { operation: { kind: 'unpause-container', container: refOf(container) }, end: 'Unpaused' }
      : { operation: { kind: 'pause-container', container: refOf(container) }, end: 'Paused' },
  );
  return perform(context, plan, options.dryRun);
}

/** Containers that `rm` would remove: those that do not run. */
export async function stoppedContainers(
  context: ComposeContext,
  services: readonly string[],
): Promise<ObservedContainer[]> {
  const containers = await chosen(context, { services, oneOff: true });
  return containers.filter(({ state }) => !isUp(state));
}

/** Removes containers that do not run. */
export async function remove(
  context: ComposeContext,
  options: { containers: readonly ObservedContainer[]; volumes: boolean; dryRun: boolean },
): Promise<Plan> {
  const plan = planEach(options.containers, (container) => ({
    operation: { kind: 'remove-container', container: refOf(container), volumes: options.volumes, force: false },
    begin: 'Removing',
    end: 'Removed',
  }));
  return perform(context, plan, options.dryRun);
}
