import type { Service } from '../model/index.ts';
import { containerName } from './names.ts';
import type { ObservedContainer } from './observed.ts';
import type { ContainerRef, Step } from './plan.ts';
import { leftoverSteps, resourceSteps, type ServicePlanState } from './service-plan-state.ts';

/** How a container is made in another's place. */
interface Replacement {
  /** Name until the old one's is free. */
  readonly createName: string;
  readonly reason: string;
  /** Steps that come first, besides those that make what it needs. */
  readonly after: readonly string[];
  readonly display: NonNullable<Step['display']>;
}

/** Plans the making of a container in the place of `old`, and its start; returns it and the step that makes it. */
export function planReplacement(
  service: Service,
  old: ObservedContainer,
  state: ServicePlanState,
  { createName, reason, after, display }: Replacement,
): { readonly container: ContainerRef; readonly created: string } {
  const { builder, input } = state;
  const key = `${service.name}#${old.number}`;
  const name = containerName(input.project.name, service, old.number);
  const container: ContainerRef = { key, service: service.name, name, number: old.number };
  const created = builder.add({
    id: `create ${key}`,
    operation: {
      kind: 'create-container',
      container,
      service,
      createName,
      replaces: service.container_name ?? `${service.name}-${old.number}`,
      ...(input.renewAnonymousVolumes ? {} : { inherit: old }),
    },
    reason,
    after: [...resourceSteps(service, state), ...leftoverSteps(old, createName, builder), ...after],
    display,
  });
  builder.keep(container);
  state.toStart.add(key);
  state.ready.set(key, created);
  return { container, created };
}
