import type { Service } from '../model/service.ts';

/** A circle of `depends_on`, its first service named again at the end; undefined when there is none. */
export function findCycle(services: Readonly<Record<string, Service>>): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (name: string): string[] | undefined => {
    if (done.has(name)) return undefined;
    const start = trail.indexOf(name);
    if (start !== -1) return [...trail.slice(start), name];
    trail.push(name);
    for (const next of Object.keys(services[name]?.depends_on ?? {}).sort()) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    trail.pop();
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(services).sort()) {
    const cycle = visit(name);
    if (cycle) return cycle;
  }
  return undefined;
}
