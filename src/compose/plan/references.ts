import { invalid } from '#base';
import type { Service } from '../model/index.ts';
import type { ContainerRef } from './plan.ts';

/** Finds the containers of a service, with their ids. */
export type FindContainers = (service: string) => readonly (ContainerRef & { readonly id: string })[];

const namespaces = ['network_mode', 'ipc', 'pid'] as const;

function firstOf(find: FindContainers, service: Service, name: string, key: string): string {
  const [first] = [...find(name)].sort((a, b) => a.number - b.number);
  if (first === undefined) {
    throw invalid(`cannot share ${key} of service "${name}" with "${service.name}": container missing`);
  }
  return first.id;
}

/** Services whose containers must exist before one of `service` can be created, because it joins them. */
export function joinedServices(service: Service): string[] {
  const names = namespaces.flatMap((key) => /^service:(.*)$/.exec(service[key] ?? '')?.[1] ?? []);
  const volumes = (service.volumes_from ?? []).filter((text) => !text.startsWith('container:'));
  const links = service.links ?? [];
  return [...names, ...[...volumes, ...links].map((text) => text.split(':')[0] ?? '')].filter((name) => name !== '');
}

/**
 * The service with references to other services' namespaces and volumes as references to their containers. Its config hash
 * is computed in this form, so that a new container there makes a new one here. Throws `invalid` when one is missing.
 */
export function resolveReferences(service: Service, find: FindContainers): Service {
  const resolved: Service = { ...service };
  for (const key of namespaces) {
    const name = /^service:(.*)$/.exec(service[key] ?? '')?.[1];
    if (name !== undefined) resolved[key] = `container:${firstOf(find, service, name, key)}`;
  }
  if (service.volumes_from !== undefined) {
    resolved.volumes_from = service.volumes_from.map((text) => {
      const [first = '', second = ''] = text.split(':');
      return first === 'container' ? second : firstOf(find, service, first, 'volumes');
    });
  }
  return resolved;
}

/** `volumes_from` as the API takes it: ids with the access that the file asks for. */
export function volumesFrom(service: Service, resolved: Service): string[] | null {
  const ids = resolved.volumes_from;
  if (ids === undefined || ids.length === 0) return null;
  return ids.map((id, index) => {
    const access = /:(r[ow])$/.exec(service.volumes_from?.[index] ?? '')?.[1];
    return access === undefined ? id : `${id}:${access}`;
  });
}

/** `links` and `external_links` as the API takes them: `CONTAINER:ALIAS`. */
export function linksOf(service: Service, find: FindContainers): string[] {
  const links = (service.links ?? []).flatMap((text) => {
    const [name = '', alias = name] = text.split(':');
    return find(name).flatMap((container) => [
      `${container.name}:${alias}`,
      `${container.name}:${name}-${container.number}`,
      `${container.name}:${container.name}`,
    ]);
  });
  const external = (service.external_links ?? []).map((text) => {
    const [name = '', alias = name] = text.split(':');
    return `${name}:${alias}`;
  });
  return [...links, ...external];
}
