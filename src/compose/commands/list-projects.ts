import type { Client } from '#client';
import { labels } from '../plan/index.ts';

/** One project that the engine has containers of. */
export interface ProjectSummary {
  readonly name: string;
  /** `running(2), exited(1)`. */
  readonly status: string;
  readonly configFiles: string;
}

/** Projects of the engine by name; only those with a running container unless `all`. */
export async function listProjects(client: Client, all: boolean): Promise<ProjectSummary[]> {
  const containers = await client.containers.list({
    all,
    filters: [`label=${labels.project}`, `label=${labels.configHash}`],
  });
  const groups = new Map<string, typeof containers>();
  for (const container of containers) {
    const name = container.Labels[labels.project] ?? '';
    groups.set(name, [...(groups.get(name) ?? []), container]);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, members]) => {
      const states = new Map<string, number>();
      for (const { State } of members) states.set(State, (states.get(State) ?? 0) + 1);
      const status = [...states.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([state, count]) => `${state}(${count})`)
        .join(', ');
      const files = [...new Set(members.flatMap(({ Labels }) => Labels[labels.configFiles]?.split(',') ?? []))];
      return { name, status, configFiles: files.join(',') };
    });
}
