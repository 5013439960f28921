import type { Dependency, Project, Service } from '../model/index.ts';
import { uploadedFiles } from './mounts.ts';
import { resourceName } from './names.ts';
import type { ObservedContainer } from './observed.ts';
import { type ContainerRef, type Plan, PlanBuilder } from './plan.ts';
import { planResources } from './plan-resources.ts';
import { planService } from './plan-services.ts';
import { planRemove } from './plan-stop.ts';
import { planTakeOver, rescueOf, takeOverStep } from './plan-swap.ts';
import { inDependencyOrder } from './service-graph.ts';
import type { ServicePlanState, Swap } from './service-plan-state.ts';
import type { UpPlanInput } from './up-input.ts';

/** Containers of the project that no service of the file owns; of one-off containers those that have ended. */
function orphansOf(input: Pick<UpPlanInput, 'project' | 'observed'>): ObservedContainer[] {
  const { services, disabledServices } = input.project;
  return input.observed.containers.filter((container) =>
    container.oneOff
      ? container.state === 'exited' || container.state === 'dead'
      : services[container.service] === undefined && disabledServices[container.service] === undefined,
  );
}

function planOrphans(builder: PlanBuilder, input: UpPlanInput): void {
  const orphans = orphansOf(input);
  if (orphans.length === 0) return;
  if (input.removeOrphans) {
    for (const container of orphans) {
      planRemove(builder, container, { reason: 'no service of that name in the file', timeout: input.timeout });
    }
  } else if (!input.ignoreOrphans) {
    builder.warn(
      `Found orphan containers ([${orphans.map(({ name }) => name).join(' ')}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`,
    );
  }
}

/** Id of the step after which a container does its work: its start, its last hook, or that it took over. */
function startedStep(builder: PlanBuilder, ref: ContainerRef, service: Service | undefined): string {
  const swapped = takeOverStep(ref.key);
  if (builder.has(swapped)) return swapped;
  const hooks = service?.post_start?.length ?? 0;
  return hooks === 0 ? `start ${ref.key}` : `post-start ${ref.key} ${hooks - 1}`;
}

/** What the planning of starts needs to know. */
export interface StartState {
  readonly builder: PlanBuilder;
  readonly project: Project;
  /** Whether a dependency is to be waited for. */
  readonly waitFor: (service: string) => boolean;
  /** Step after which the container can be started. */
  readonly ready: string | undefined;
  /** Given for one that takes over from another. */
  readonly swap?: Swap | undefined;
}

type WaitState = Pick<StartState, 'builder' | 'project'>;

function planWait(state: WaitState, name: string, dependency: Dependency): string {
  const { builder, project } = state;
  const containers = builder.containersOf(name);
  const service = project.services[name];
  const condition = dependency.condition === 'service_started' ? 'running_or_healthy' : dependency.condition;
  const started = containers.map((ref) => startedStep(builder, ref, service));
  return builder.add({
    id: `wait ${name} ${condition}${dependency.required ? '' : ' optional'}`,
    operation: { kind: 'wait-for', dependency: name, containers, condition, required: dependency.required },
    reason: condition === 'running_or_healthy' ? 'it is to be waited for' : 'another service waits for it',
    after: dependency.required ? started : [],
    afterEnd: dependency.required ? [] : started,
  });
}

/** Plans the wait until a service's containers run and, where they have a health check, are healthy. */
export function planWaits(builder: PlanBuilder, project: Project, service: string): void {
  if (builder.containersOf(service).length === 0) return;
  planWait({ builder, project }, service, { condition: 'service_started', required: true });
}

/** What the start of a service's containers comes after. */
function dependencySteps(service: Service, state: StartState): { after: string[]; afterEnd: string[] } {
  const after: string[] = [];
  const afterEnd: string[] = [];
  const { builder, project } = state;
  for (const [name, dependency] of Object.entries(service.depends_on ?? {})) {
    if (!state.waitFor(name) || builder.containersOf(name).length === 0) continue;
    if (dependency.condition !== 'service_started') after.push(planWait(state, name, dependency));
    else {
      const steps = builder.containersOf(name).map((ref) => startedStep(builder, ref, project.services[name]));
      (dependency.required ? after : afterEnd).push(...steps);
    }
  }
  return { after, afterEnd };
}

/** Plans the start of one container: files first, then the conditions of its dependencies, hooks last. */
export function planStart(service: Service, ref: ContainerRef, state: StartState): void {
  const { builder, project, ready, swap } = state;
  const rescue = swap === undefined ? undefined : rescueOf(service, ref, swap);
  const before = ready === undefined ? [] : [ready];
  const files = uploadedFiles(service, project).map((file) =>
    builder.add({
      id: `file ${ref.key} ${file.path}`,
      operation: { kind: 'put-file', container: ref, file },
      reason: `the service uses ${file.what} ${file.reference.source}`,
      after: before,
      rescue,
    }),
  );
  const { after, afterEnd } = dependencySteps(service, state);
  let last = builder.add({
    id: `start ${ref.key}`,
    operation: { kind: 'start-container', container: ref, ...(swap === undefined ? {} : { beside: swap.old }) },
    reason: swap ? 'the old one serves on until it is ready' : ref.id === undefined ? 'it is new' : 'it does not run',
    after: [...before, ...files, ...after],
    afterEnd,
    rescue,
    display: { resource: resourceName('Container', ref.name), begin: 'Starting', end: 'Started' },
  });
  for (const [index, hook] of (service.post_start ?? []).entries()) {
    const id = `post-start ${ref.key} ${index}`;
    const operation = { kind: 'run-hook', container: ref, hook } as const;
    last = builder.add({ id, operation, reason: 'the service has a post_start hook', after: [last], rescue });
  }
  if (swap !== undefined) planTakeOver(service, ref, { builder, swap, started: last });
}

/**
 * Plans how the project gets from what there is to what the file says. Pure: the same input gives the same plan.
 * Throws `invalid`, `not-found` and `not-implemented` where the file asks for what cannot be.
 */
export function planUp(input: UpPlanInput): Plan {
  const builder = new PlanBuilder();
  const services = inDependencyOrder(input.project).filter(({ name }) => input.selected.has(name));
  planOrphans(builder, input);
  const resources = planResources(builder, input, services);
  const state: ServicePlanState = {
    builder,
    input,
    resources,
    renewed: new Set(),
    toStart: new Set(),
    ready: new Map(),
    swaps: new Map(),
  };
  for (const service of services) planService(service, state);
  const { project } = input;
  for (const service of input.start ? services : []) {
    for (const ref of builder.containersOf(service.name)) {
      if (!state.toStart.has(ref.key)) continue;
      const waitFor = (name: string): boolean => input.selected.has(name);
      const [ready, swap] = [state.ready.get(ref.key), state.swaps.get(ref.key)];
      planStart(service, ref, { builder, project, waitFor, ready, swap });
    }
    if (input.wait) planWaits(builder, project, service.name);
  }
  for (const { name, dependency } of input.waitFor ?? []) {
    if (dependency.condition !== 'service_started') planWait({ builder, project }, name, dependency);
  }
  return builder.done();
}
