import { conflict } from '#base';
import type { EventJournal } from '../../events/events.ts';
import type { ResourceSettings, RestartPolicy } from '../container.ts';
import { checkResources } from '../create/check-resources.ts';
import { checkRestartPolicy, type HostLimits } from '../create/validate.ts';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import { runtimeResources } from '../start/resources.ts';

/** What updating needs. */
export interface UpdateDependencies {
  readonly registry: ContainerRegistry;
  readonly events: EventJournal;
  readonly limits: HostLimits;
}

/**
 * Changes limits and restart policy, at once for one that runs. Only what is given changes. Returns warnings; throws
 * `invalid` and `conflict` with Docker's texts before anything changed.
 */
export async function updateContainer(
  deps: UpdateDependencies,
  container: LiveContainer,
  changes: { resources: ResourceSettings; restart?: RestartPolicy },
): Promise<string[]> {
  const { host } = container.settings;
  const given = givenResources(changes.resources);
  const warnings = checkResources(given, deps.limits, { update: true });
  const restart = changes.restart ?? host.restart;
  checkRestartPolicy(restart);
  const obstacle =
    host.autoRemove && restart.name !== 'no'
      ? 'Restart policy cannot be updated because AutoRemove is enabled for the container'
      : findObstacle(host.resources, given);
  if (obstacle !== undefined) throw conflict(`Cannot update container ${container.id}: ${obstacle}`);
  const resources = { ...host.resources, ...given };
  const limits = await runtimeResources(resources, deps.limits);
  if (container.task && Object.keys(limits).length > 0) await container.task.update(limits);
  deps.events.publish('container', 'update', container.id, container.eventAttributes);
  deps.registry.setSettings(container, { host: { ...host, resources, restart } });
  return warnings;
}

/** Zero, empty and undefined mean "as it was". */
function givenResources(wanted: ResourceSettings): ResourceSettings {
  const empty = new Set<unknown>([undefined, 0, '', false]);
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => !empty.has(value)));
}

/** Why limits cannot be added to those there are, in Docker's words; undefined when they can. */
export function findObstacle(have: ResourceSettings, given: ResourceSettings): string | undefined {
  const { memorySwap = 0 } = have;
  if (memorySwap > 0 && given.memory !== undefined && given.memory > memorySwap && given.memorySwap === undefined) {
    return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
  }
  const least = given.memory ?? have.memory ?? 0;
  if (given.memorySwap !== undefined && given.memorySwap > 0 && given.memorySwap < least) {
    return 'Minimum memoryswap limit should be larger than already set memory limit';
  }
  const clash = (field: string, set: string) =>
    `Conflicting options: ${field} cannot be updated as ${set} has already been set`;
  if (have.nanoCpus && given.cpuPeriod) return clash('CPU Period', 'NanoCPUs');
  if (have.nanoCpus && given.cpuQuota) return clash('CPU Quota', 'NanoCPUs');
  if (given.nanoCpus && have.cpuPeriod) return clash('NanoCPUs', 'CPU Period');
  if (given.nanoCpus && have.cpuQuota) return clash('NanoCPUs', 'CPU Quota');
  return undefined;
}
