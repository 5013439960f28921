import { conflict } from '#base';
import type { EventJournal } from '../../events/events.ts';
import type { ResourceSettings, RestartPolicy } from '../container.ts';
import { checkResources, checkRestartPolicy, type HostLimits } from '../create/validate.ts';
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
 * `invalid` before anything changed, `conflict` for a policy that --rm forbids.
 */
export async function updateContainer(
  deps: UpdateDependencies,
  container: LiveContainer,
  changes: { resources: ResourceSettings; restart?: RestartPolicy },
): Promise<string[]> {
  const { host } = container.settings;
  const resources = mergeResources(host.resources, changes.resources);
  const warnings = checkResources(resources, deps.limits);
  const restart = changes.restart ?? host.restart;
  checkRestartPolicy(restart);
  if (host.autoRemove && restart.name !== 'no') {
    throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  const limits = await runtimeResources(resources, deps.limits);
  if (container.task && Object.keys(limits).length > 0) await container.task.update(limits);
  deps.events.publish('container', 'update', container.id, container.eventAttributes);
  deps.registry.setSettings(container, { host: { ...host, resources, restart } });
  return warnings;
}

/** Zero and undefined mean "as it was". `--cpus` takes the place of period and quota, and the other way round. */
export function mergeResources(have: ResourceSettings, wanted: ResourceSettings): ResourceSettings {
  const given = Object.fromEntries(
    Object.entries(wanted).filter(([, value]) => value !== undefined && value !== 0 && value !== '' && value !== false),
  ) as ResourceSettings;
  const { nanoCpus, cpuPeriod, cpuQuota, ...rest } = have;
  if (given.nanoCpus) return { ...rest, ...given };
  const periods = { ...(cpuPeriod ? { cpuPeriod } : {}), ...(cpuQuota ? { cpuQuota } : {}) };
  if (given.cpuPeriod || given.cpuQuota) return { ...rest, ...periods, ...given };
  return { ...have, ...given };
}
