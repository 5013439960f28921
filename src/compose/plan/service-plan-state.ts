import type { Service, UpdatePolicy } from '../model/index.ts';
import type { ObservedContainer } from './observed.ts';
import { type ContainerRef, type PlanBuilder, refOf } from './plan.ts';
import type { PlannedResources } from './plan-resources.ts';
import { planStop } from './plan-stop.ts';
import { joinedServices } from './references.ts';
import type { UpPlanInput } from './up-input.ts';

/** A container that is replaced without a pause: the new one starts beside it and takes over. */
export interface Swap {
  readonly old: ContainerRef;
  readonly policy: UpdatePolicy;
  /** Seconds until the old one is killed; its own time when absent. */
  readonly timeout: number | undefined;
}

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
  /** Containers, by key, that take over from one that runs. */
  readonly swaps: Map<string, Swap>;
}

/** Steps after which what a service's containers need is there. */
export function resourceSteps(service: Service, state: ServicePlanState): string[] {
  const networks = Object.keys(service.networks ?? {}).map((key) => state.resources.networkSteps.get(key));
  const volumes = (service.volumes ?? []).map(({ source = '' }) => state.resources.volumeSteps.get(source));
  const joined = joinedServices(service).flatMap((name) =>
    state.builder.containersOf(name).map(({ key }) => state.ready.get(key)),
  );
  return [...networks, ...volumes, ...joined].filter((step) => step !== undefined);
}

/** Ids of the steps that settle what an interrupted replacement of this container left, before another is made. */
export function leftoverSteps(old: ObservedContainer, createName: string, builder: PlanBuilder): string[] {
  const steps = [`remove ${old.service}#${createName}`, `rename left ${old.service}#${old.number}`];
  return steps.filter((id) => builder.has(id));
}

/** Running containers of services that want to be restarted with this one are stopped first, and started again after. */
export function stopDependents(service: Service, state: ServicePlanState, after: string[]): string[] {
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
