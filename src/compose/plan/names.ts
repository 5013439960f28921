import type { Project, Service } from '../model/index.ts';

/** Name of a service's container: as the file says, else `PROJECT-SERVICE-NUMBER`. */
export function containerName(project: string, service: Service, number: number): string {
  return service.container_name ?? `${project}-${service.name}-${number}`;
}

/** Name of a container that takes the place of another, until that one is gone. */
export function replacementName(old: { readonly id: string }, name: string): string {
  return `${old.id.slice(0, 12)}_${name}`;
}

/** Name of a service's image: as the file says, else `PROJECT-SERVICE` for one that is built. */
export function imageName(project: Pick<Project, 'name'>, service: Service): string {
  return service.image ?? `${project.name}-${service.name}`;
}

/** How many containers a service shall have. */
export function scaleOf(service: Service): number {
  return service.scale ?? service.deploy?.replicas ?? 1;
}

/** Full name that output shows for a resource, such as `Container app-web-1`. */
export function resourceName(kind: 'Container' | 'Network' | 'Volume' | 'Image', name: string): string {
  return `${kind} ${name}`;
}
