import { notFound } from '#base';
import type { Project } from '../model/index.ts';
import { type ObservedContainer, withDependencies } from '../plan/index.ts';

/** Makes sure that the file has all services named. Throws `not-found` with docker compose's text. */
function checkServices(project: Project, names: readonly string[]): void {
  for (const name of names) {
    if (project.services[name] === undefined && project.disabledServices[name] === undefined) {
      throw notFound(`no such service: ${name}`);
    }
  }
}

/** The services named, or all when none are; with all they depend on unless `noDeps`. */
export function selectServices(
  project: Project,
  names: readonly string[],
  noDeps: boolean,
): { named: ReadonlySet<string>; selected: ReadonlySet<string> } {
  checkServices(project, names);
  const named = new Set(names.length === 0 ? Object.keys(project.services) : names);
  return { named, selected: noDeps ? named : withDependencies(project.services, [...named]) };
}

/** Containers of the services named, or of all; without one-offs unless asked for. */
export function containersOfServices(
  containers: readonly ObservedContainer[],
  names: readonly string[],
  options: { oneOff?: boolean } = {},
): ObservedContainer[] {
  return containers.filter(
    (container) =>
      (options.oneOff === true || !container.oneOff) && (names.length === 0 || names.includes(container.service)),
  );
}

/**
 * The container of a service with a number (the lowest when 0). Throws `not-found` with docker compose's texts.
 */
export function findContainer(
  containers: readonly ObservedContainer[],
  service: string,
  options: { index: number; running: boolean },
): ObservedContainer {
  const { index, running } = options;
  const candidates = containersOfServices(containers, [service])
    .filter(({ state }) => !running || state === 'running' || state === 'paused')
    .sort((a, b) => a.number - b.number);
  const found = index > 0 ? candidates.find(({ number }) => number === index) : candidates[0];
  if (found !== undefined) return found;
  if (index > 0) throw notFound(`service "${service}" is not running container #${index}`);
  throw notFound(`service "${service}" is not running`);
}
