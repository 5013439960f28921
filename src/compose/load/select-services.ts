import { notFound } from '#base';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';

type Services = Record<string, Service>;

/** Services divided by whether they take part. */
export interface Division {
  on: Services;
  off: Services;
}

function pick(services: Readonly<Services>, wanted: (service: Service) => boolean): Division {
  const division: Division = { on: {}, off: {} };
  for (const [name, service] of Object.entries(services))
    (wanted(service) ? division.on : division.off)[name] = service;
  return division;
}

/**
 * Divides services by profile: on are those without a profile and those with one of `profiles`, of which `*` is all.
 * Optional dependencies on services that are off are dropped from those that are on.
 */
export function divideByProfile(services: Readonly<Services>, profiles: readonly string[]): Division {
  if (profiles.includes('*')) return { on: { ...services }, off: {} };
  const division = pick(services, ({ profiles: own }) => !own || own.some((profile) => profiles.includes(profile)));
  for (const service of Object.values(division.on)) {
    for (const [name, dependency] of Object.entries(service.depends_on ?? {})) {
      if (!dependency.required && !Object.hasOwn(division.on, name)) delete service.depends_on?.[name];
    }
    if (service.depends_on && Object.keys(service.depends_on).length === 0) delete service.depends_on;
  }
  return division;
}

/** Restricts a project to `names` and what they depend on. Changes it. Throws `not-found` for an unknown name. */
export function selectServices(project: Project, names: readonly string[]): void {
  if (names.length === 0) return;
  const wanted = new Set<string>();
  const add = (name: string) => {
    if (wanted.has(name)) return;
    const service = Object.hasOwn(project.services, name) ? project.services[name] : undefined;
    if (!service) throw notFound(`no such service: ${name}`);
    wanted.add(name);
    for (const [dependency, { required }] of Object.entries(service.depends_on ?? {})) {
      if (required || Object.hasOwn(project.services, dependency)) add(dependency);
    }
  };
  for (const name of names) add(name);
  const { on, off } = pick(project.services, (service) => wanted.has(service.name));
  project.services = on;
  project.disabledServices = { ...project.disabledServices, ...off };
}

function keep<T>(objects: Record<string, T>, used: ReadonlySet<string | undefined>): Record<string, T> {
  return Object.fromEntries(Object.entries(objects).filter(([name]) => used.has(name)));
}

/** Drops networks, volumes, secrets, configs and models that no service of the project uses. Changes it. */
export function dropUnused(project: Project): void {
  const services = Object.values(project.services);
  const volumes = services.flatMap((service) => service.volumes ?? []).filter((volume) => volume.type === 'volume');
  const secrets = services.flatMap((service) => [...(service.secrets ?? []), ...(service.build?.secrets ?? [])]);
  const configs = services.flatMap((service) => service.configs ?? []);
  project.networks = keep(
    project.networks,
    new Set(services.flatMap((service) => Object.keys(service.networks ?? {}))),
  );
  project.volumes = keep(project.volumes, new Set(volumes.map((volume) => volume.source)));
  project.secrets = keep(project.secrets, new Set(secrets.map((secret) => secret.source)));
  project.configs = keep(project.configs, new Set(configs.map((config) => config.source)));
  project.models = keep(project.models, new Set(services.flatMap((service) => Object.keys(service.models ?? {}))));
}
