import { isBerthError } from '#base';
import type { Project, Service } from '../model/index.ts';
import { labels } from './labels.ts';
import type { ObservedContainer } from './observed.ts';
import type { PlannedResources } from './plan-resources.ts';
import { type FindContainers, joinedServices, resolveReferences } from './references.ts';
import type { RecreatePolicy } from './up-input.ts';

/** What a container is compared with. */
export interface DivergenceInput {
  readonly project: Project;
  readonly resources: PlannedResources;
  readonly hash: (service: Service) => string;
  readonly imageId: string | undefined;
  readonly find: FindContainers;
  /** Services of which a container is made in this plan. */
  readonly renewedServices: ReadonlySet<string>;
  readonly policy: RecreatePolicy;
}

function networkDivergence(service: Service, actual: ObservedContainer, input: DivergenceInput): string | undefined {
  for (const key of Object.keys(service.networks ?? {})) {
    if (input.resources.renewed.has(`network ${key}`)) return `network ${key} is made anew`;
    const name = input.project.networks[key]?.name ?? key;
    const id = input.resources.networkIds.get(key);
    const joined = actual.networks[name];
    // Before its first start a container knows its networks by name only.
    if (joined === '' || (id !== undefined && Object.values(actual.networks).includes(id))) continue;
    return `it is not on network ${name}`;
  }
  return undefined;
}

function volumeDivergence(service: Service, actual: ObservedContainer, input: DivergenceInput): string | undefined {
  for (const mount of service.volumes ?? []) {
    if (mount.type !== 'volume' || !mount.source) continue;
    if (input.resources.renewed.has(`volume ${mount.source}`)) return `volume ${mount.source} is made anew`;
    const name = input.project.volumes[mount.source]?.name ?? mount.source;
    if (!actual.mounts.some(({ Type, Name }) => Type === 'volume' && Name === name)) return `it lacks volume ${name}`;
  }
  return undefined;
}

function hashDivergence(service: Service, actual: ObservedContainer, input: DivergenceInput): string | undefined {
  const shared = joinedServices({ ...service, links: [] }).find((name) => input.renewedServices.has(name));
  if (shared !== undefined) return `service ${shared}, which it is joined to, gets a new container`;
  try {
    const hash = input.hash(resolveReferences(service, input.find));
    return actual.labels[labels.configHash] === hash ? undefined : 'its configuration changed';
  } catch (error) {
    if (isBerthError(error, 'invalid')) return 'a container it was joined to is gone';
    throw error;
  }
}

/** Why a container must be replaced, undefined when it need not be. */
export function divergence(service: Service, actual: ObservedContainer, input: DivergenceInput): string | undefined {
  if (input.policy === 'never') return undefined;
  if (input.policy === 'force') return 'it is told to be';
  const changed = hashDivergence(service, actual, input);
  if (changed !== undefined) return changed;
  if (input.imageId !== undefined && actual.labels[labels.image] !== input.imageId) return 'its image changed';
  return networkDivergence(service, actual, input) ?? volumeDivergence(service, actual, input);
}
