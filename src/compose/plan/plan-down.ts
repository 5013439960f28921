import type { Project, Service } from '../model/index.ts';
import { labels } from './labels.ts';
import { resourceName } from './names.ts';
import type { Observed, ObservedContainer } from './observed.ts';
import { type Plan, PlanBuilder, refOf } from './plan.ts';
import { planRemove, planStop } from './plan-stop.ts';

/** Names of the services that a container's service depends on, as the file or else the label says. */
export function dependenciesOf(container: ObservedContainer, services: Readonly<Record<string, Service>>): string[] {
  const service = services[container.service];
  if (service !== undefined) return Object.keys(service.depends_on ?? {});
  return (container.labels[labels.dependsOn] ?? '').split(',').flatMap((text) => text.split(':')[0] || []);
}

/** Containers that must be gone before one of `service` is stopped: those of services that depend on it. */
function dependentsOf(
  service: string,
  containers: readonly ObservedContainer[],
  services: Readonly<Record<string, Service>>,
): ObservedContainer[] {
  return containers.filter((other) => other.service !== service && dependenciesOf(other, services).includes(service));
}

/** What `down` is to remove beside the containers. */
export interface DownPlanInput {
  readonly projectName: string;
  /** Absent where there is no file: labels alone say what there is. */
  readonly project: Project | undefined;
  readonly observed: Observed;
  /** Only these services, all when empty. */
  readonly services: readonly string[];
  /** Also containers that no service of the file owns. */
  readonly removeOrphans: boolean;
  readonly volumes: boolean;
  /** Names of images to remove. */
  readonly images: readonly string[];
  readonly timeout: number | undefined;
}

/** Services whose dependencies form a ring (only labels can say so) would wait for each other for ever: such waits are left out. */
function waitsFor(container: ObservedContainer, seen: Set<string>, dependents: (name: string) => ObservedContainer[]) {
  const reaches = (from: string, target: string): boolean => {
    if (from === target) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return dependents(from).some((next) => reaches(next.service, target));
  };
  return dependents(container.service).filter((other) => {
    seen.clear();
    return !dependents(other.service).some((next) => reaches(next.service, container.service));
  });
}

function networksOf(input: DownPlanInput): { id: string; name: string }[] {
  const { project, projectName, observed } = input;
  return observed.networks.filter((network) => {
    if (network.labels[labels.project] !== projectName) return false;
    const key = network.labels[labels.network] ?? '';
    return project === undefined || !project.networks[key]?.external;
  });
}

function volumesOf(input: DownPlanInput): string[] {
  const { project, projectName, observed } = input;
  const owned = observed.volumes.filter((volume) => {
    if (volume.labels[labels.project] !== projectName) return false;
    return project === undefined || !project.volumes[volume.labels[labels.volume] ?? '']?.external;
  });
  return owned.map(({ name }) => name);
}

/** Containers that `down` removes: those of services whose profiles are on, one-offs among them, and orphans if asked for. */
function containersOf(input: DownPlanInput): ObservedContainer[] {
  const { project, observed, services } = input;
  return observed.containers.filter((container) => {
    if (services.length > 0) return services.includes(container.service);
    if (project === undefined) return true;
    if (input.removeOrphans && project.disabledServices[container.service] === undefined) return true;
    return project.services[container.service] !== undefined;
  });
}

/** Plans how all of a project is removed: what depends on others goes first. Pure. */
export function planDown(input: DownPlanInput): Plan {
  const builder = new PlanBuilder();
  const services = { ...input.project?.disabledServices, ...input.project?.services };
  const containers = containersOf(input);
  const dependents = (name: string): ObservedContainer[] => dependentsOf(name, containers, services);
  const removals = containers.map((container) => {
    const before = waitsFor(container, new Set(), dependents).map((other) => refOf(other).key);
    return planRemove(builder, container, {
      service: services[container.service],
      reason: 'the project goes down',
      after: before.map((key) => `stop ${key}`),
      // An anonymous volume that dependents share goes with its last user only.
      removeAfter: input.volumes ? before.map((key) => `remove ${key}`) : [],
      timeout: input.timeout,
      volumes: input.volumes,
    });
  });
  const seen = input.observed.containers.map(({ id }) => id);
  for (const { id, name } of networksOf(input)) {
    builder.add({
      id: `remove network ${name}`,
      operation: { kind: 'remove-network', id, name, seen },
      reason: 'the project goes down',
      after: removals,
      display: { resource: resourceName('Network', name), begin: 'Removing', end: 'Removed' },
    });
  }
  for (const name of input.volumes ? volumesOf(input) : []) {
    builder.add({
      id: `remove volume ${name}`,
      operation: { kind: 'remove-volume', name, seen },
      reason: 'volumes are to be removed, too',
      after: removals,
      display: { resource: resourceName('Volume', name), begin: 'Removing', end: 'Removed' },
    });
  }
  for (const name of input.images) {
    builder.add({
      id: `remove image ${name}`,
      operation: { kind: 'remove-image', name },
      reason: 'images are to be removed, too',
      after: removals,
      display: { resource: resourceName('Image', name), begin: 'Removing', end: 'Removed' },
    });
  }
  return builder.done();
}

/** Plans how containers are stopped: those that depend on others first. Pure. */
export function planStopAll(input: {
  readonly project: Project | undefined;
  readonly containers: readonly ObservedContainer[];
  readonly timeout: number | undefined;
}): Plan {
  const builder = new PlanBuilder();
  const services = { ...input.project?.disabledServices, ...input.project?.services };
  const dependents = (name: string): ObservedContainer[] => dependentsOf(name, input.containers, services);
  for (const container of input.containers) {
    planStop(builder, refOf(container), {
      service: services[container.service],
      reason: container.state === 'running' ? 'it runs' : 'it is told to be',
      after: waitsFor(container, new Set(), dependents).map((other) => `stop ${refOf(other).key}`),
      timeout: input.timeout,
      running: container.state === 'running',
    });
  }
  return builder.done();
}
