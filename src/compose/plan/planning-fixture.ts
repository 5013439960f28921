import { emptyProject, type Network, type Project, type Service, type Volume } from '../model/index.ts';
import { dependsOnLabel } from './container-request.ts';
import { labels } from './labels.ts';
import { containerName } from './names.ts';
import type { Observed, ObservedContainer } from './observed.ts';
import type { Plan } from './plan.ts';
import type { UpPlanInput } from './up-input.ts';

/** A service for planner tests; everything can be overridden. */
export function testService(name: string, overrides: Partial<Service> = {}): Service {
  return { name, image: 'busybox', command: null, entrypoint: null, networks: { default: null }, ...overrides };
}

/** A project `app` of the services given, with a default network. */
export function testProject(services: readonly Service[], overrides: Partial<Project> = {}): Project {
  const network: Network = { name: 'app_default', ipam: {} };
  return {
    ...emptyProject('app'),
    workingDir: '/work',
    composeFiles: ['/work/compose.yaml'],
    services: Object.fromEntries(services.map((service) => [service.name, service])),
    networks: { default: network },
    ...overrides,
  };
}

/** A hash that differs when anything in the service does. */
function testHash(service: Service): string {
  const { scale: _scale, depends_on: _depends, ...rest } = service;
  return JSON.stringify(rest);
}

/** A container as `up` would have made it. */
export function testContainer(
  service: Service,
  number = 1,
  overrides: Partial<ObservedContainer> = {},
): ObservedContainer {
  const name = containerName('app', service, number);
  return {
    id: `${number}`.padStart(12, service.name),
    name,
    service: service.name,
    number,
    oneOff: false,
    state: 'running',
    status: 'Up 1 second',
    labels: {
      [labels.project]: 'app',
      [labels.service]: service.name,
      [labels.number]: String(number),
      [labels.configHash]: testHash(service),
      [labels.image]: 'sha256:image',
      [labels.dependsOn]: dependsOnLabel(service),
    },
    image: 'busybox',
    imageId: 'sha256:image',
    networks: { app_default: 'net1' },
    mounts: [],
    created: 1,
    ...overrides,
  };
}

/** A look at an engine that has the default network and these containers. */
export function testObserved(containers: readonly ObservedContainer[], volumes: readonly Volume[] = []): Observed {
  const networkLabels = { [labels.project]: 'app', [labels.network]: 'default' };
  return {
    containers,
    networks: [{ id: 'net1', name: 'app_default', labels: networkLabels }],
    volumes: volumes.map(({ name }) => ({ name, labels: { [labels.project]: 'app' } })),
  };
}

/** Input of `planUp` for a plain `up -d`. */
export function testInput(project: Project, observed: Observed, overrides: Partial<UpPlanInput> = {}): UpPlanInput {
  const names = new Set(Object.keys(project.services));
  return {
    project,
    observed,
    named: names,
    selected: names,
    recreate: 'diverged',
    recreateDependencies: 'diverged',
    imageIds: Object.fromEntries([...names].map((name) => [name, 'sha256:image'])),
    hash: testHash,
    removeOrphans: false,
    ignoreOrphans: false,
    renewAnonymousVolumes: false,
    start: true,
    recreateVolumes: new Set(),
    wait: false,
    ...overrides,
  };
}

/** The ids of a plan's steps. */
export function stepIds(plan: Plan): string[] {
  return plan.steps.map(({ id }) => id);
}
