import type { Project, Service } from '../model/index.ts';

/** Names of services given and of all they depend on, in any depth; unknown names are left out. */
export function withDependencies(services: Readonly<Record<string, Service>>, names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const service = services[name];
    if (service === undefined || found.has(name)) return;
    found.add(name);
    for (const dependency of Object.keys(service.depends_on ?? {})) visit(dependency);
  };
  for (const name of names) visit(name);
  return found;
}

/** Services so that each comes after those it depends on; alphabetical where that leaves a choice. */
export function inDependencyOrder(project: Pick<Project, 'services'>): Service[] {
  const order: Service[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const service = project.services[name];
    if (service === undefined || seen.has(name)) return;
    seen.add(name);
    for (const dependency of Object.keys(service.depends_on ?? {}).sort()) visit(dependency);
    order.push(service);
  };
  for (const name of Object.keys(project.services).sort()) visit(name);
  return order;
}
