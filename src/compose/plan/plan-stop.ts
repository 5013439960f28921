import type { Service } from '../model/index.ts';
import { resourceName } from './names.ts';
import type { ObservedContainer } from './observed.ts';
import { type ContainerRef, type PlanBuilder, refOf } from './plan.ts';

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
