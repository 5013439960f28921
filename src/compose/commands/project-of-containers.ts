import { type Dependency, emptyProject, type Project, type Service } from '../model/index.ts';
import { labels, type ObservedContainer } from '../plan/index.ts';

const conditions: readonly Dependency['condition'][] = [
  'service_started',
  'service_healthy',
  'service_completed_successfully',
];

/** What the label `SERVICE:CONDITION:RESTART,...` says of a container's dependencies. */
function dependenciesOf(container: ObservedContainer): Record<string, Dependency> {
  const found: Record<string, Dependency> = {};
  for (const text of (container.labels[labels.dependsOn] ?? '').split(',')) {
    const [name, condition, restart] = text.split(':');
    if (!name) continue;
    found[name] = {
      condition: conditions.find((one) => one === condition) ?? 'service_started',
      restart: restart === 'true',
      required: true,
    };
  }
  return found;
}

/** As much of a project as the labels of its containers tell, for commands without a file: services and their order. */
export function projectOfContainers(name: string, containers: readonly ObservedContainer[]): Project {
  const services: Record<string, Service> = {};
  for (const container of containers) {
    if (container.oneOff) continue;
    const known = services[container.service];
    services[container.service] = {
      name: container.service,
      command: null,
      entrypoint: null,
      image: container.image,
      networks: {},
      depends_on: { ...known?.depends_on, ...dependenciesOf(container) },
      scale: (known?.scale ?? 0) + 1,
    };
  }
  return { ...emptyProject(name), services };
}
