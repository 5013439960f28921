import { type Service, updatePolicyOf } from '../model/index.ts';
import { containerName, replacementName, resourceName } from './names.ts';
import type { ObservedContainer } from './observed.ts';
import { type ContainerRef, type PlanBuilder, type Rescue, refOf } from './plan.ts';
import { planReplacement } from './plan-replacement.ts';
import { planStop } from './plan-stop.ts';
import { type ServicePlanState, type Swap, stopDependents } from './service-plan-state.ts';

/** Id of the step in which a container takes over. */
export function takeOverStep(key: string): string {
  return `take over ${key}`;
}

/** Why a service cannot have two containers in one place at a time. */
function obstacle(service: Service, state: ServicePlanState): string | undefined {
  const { input, resources } = state;
  if (input.cannotSwap !== undefined) return input.cannotSwap;
  const mode = service.network_mode ?? '';
  if (mode === 'host' || /^(service|container):/.test(mode)) return `network_mode ${mode} gives it no ports of its own`;
  for (const [key, membership] of Object.entries(service.networks ?? {})) {
    const fixed = membership?.ipv4_address ?? membership?.ipv6_address ?? membership?.mac_address;
    if (fixed !== undefined) return `only one container can have ${fixed} on network ${key}`;
    if (resources.renewed.has(`network ${key}`)) return `network ${key} is made anew`;
  }
  if (service.mac_address !== undefined) return `only one container can have mac_address ${service.mac_address}`;
  const volume = (service.volumes ?? []).find(({ source }) => resources.renewed.has(`volume ${source ?? ''}`));
  return volume === undefined ? undefined : `volume ${volume.source} is made anew`;
}

/** Which dependency, one that wants its dependents to be restarted, is stopped before its new container starts. */
function stoppedFor(service: Service, { builder, renewed, swaps }: ServicePlanState): string | undefined {
  const dependency = Object.entries(service.depends_on ?? {}).find(
    ([name, { restart }]) =>
      restart === true && renewed.has(name) && builder.containersOf(name).some(({ key }) => !swaps.has(key)),
  );
  return dependency && `service ${dependency[0]}, which it is restarted with, is stopped first`;
}

/** Whether a container that is to be replaced hands over to the new one. Warns where the file asks for it in vain. */
export function canSwap(service: Service, old: ObservedContainer, state: ServicePlanState): boolean {
  if (updatePolicyOf(service).order !== 'start-first') return false;
  // Without a container that serves there is nothing to keep up.
  if (!state.input.start || old.state !== 'running' || state.builder.has(`remove ${refOf(old).key}`)) return false;
  const why = obstacle(service, state) ?? stoppedFor(service, state);
  if (why === undefined) {
    // The new container starts when the dependency's has taken over, so the old one need not be restarted.
    const { key } = refOf(old);
    for (const index of (service.pre_stop ?? []).keys()) state.builder.drop(`pre-stop ${key} ${index}`);
    state.builder.drop(`stop ${key}`);
    return true;
  }
  state.builder.warn(`service "${service.name}" is stopped first, in spite of x-update: start-first: ${why}`);
  return false;
}

/** Plans the making of the new container. Those of one service take their turns, so that a bad one stops the rest. */
export function planSwap(service: Service, old: ObservedContainer, state: ServicePlanState, reason: string): void {
  const { input, swaps } = state;
  const key = `${service.name}#${old.number}`;
  const name = containerName(input.project.name, service, old.number);
  const earlier = [...swaps.values()].filter(({ old: { service: of } }) => of === service.name).at(-1);
  planReplacement(service, old, state, {
    createName: replacementName(old, name),
    reason: `${reason}; x-update: start-first`,
    after: earlier === undefined ? [] : [`remove ${earlier.old.key}`],
    display: { resource: resourceName('Container', name), begin: 'Creating', end: 'Created' },
  });
  swaps.set(key, { old: refOf(old), policy: updatePolicyOf(service), timeout: input.timeout });
  stopDependents(service, state, [takeOverStep(key)]);
}

/** What happens when the new container does not get as far as taking over. */
export function rescueOf(service: Service, ref: ContainerRef, { old, policy }: Swap): Rescue {
  const serves = `service "${service.name}" is as it was: ${old.name} was not stopped`;
  return policy.onFailure === 'keep'
    ? { operations: [], outcome: `${serves}; the new container is kept (x-update.on-failure) until the next up` }
    : {
        operations: [{ kind: 'remove-container', container: ref, volumes: true, force: true }],
        outcome: `rolled back, ${serves}`,
      };
}

/** Plans what follows the start: proof, change, and the end of the old container. */
export function planTakeOver(
  service: Service,
  ref: ContainerRef,
  { builder, swap, started }: { builder: PlanBuilder; swap: Swap; started: string },
): void {
  const { old, policy, timeout } = swap;
  const { key } = ref;
  const rescue = rescueOf(service, ref, swap);
  const resource = resourceName('Container', ref.name);
  const health = service.healthcheck !== undefined && service.healthcheck.disable !== true;
  const proven = builder.add({
    id: `prove ${key}`,
    operation: { kind: 'prove-container', container: ref, timeout: policy.timeout, monitor: policy.monitor },
    reason: health
      ? `it must be healthy within ${policy.timeout} s`
      : `it must be healthy within ${policy.timeout} s, or run for ${policy.monitor} s without a health check`,
    after: [started],
    display: { resource, begin: 'Waiting', end: 'Ready' },
    rescue,
  });
  const taken = builder.add({
    id: takeOverStep(key),
    operation: { kind: 'take-over', container: ref, from: old },
    reason: 'it is ready: new connections go to it',
    after: [proven],
    display: { resource, begin: 'Swapping', end: 'Swapped' },
    rescue,
  });
  const drained = builder.add({
    id: `drain ${key}`,
    operation: { kind: 'drain-container', container: old, timeout: policy.drain },
    reason: `open connections may end, for ${policy.drain} s at most`,
    after: [taken],
  });
  const reason = 'a new one took its place';
  const stopped = planStop(builder, old, { service, reason, after: [drained], timeout, running: true, silent: true });
  builder.add({
    id: `remove ${key}`,
    operation: { kind: 'remove-container', container: old, volumes: false, force: true },
    reason,
    after: [stopped],
  });
}
