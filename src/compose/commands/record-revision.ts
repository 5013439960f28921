import { hostname, userInfo } from 'node:os';
import { isBerthError } from '#base';
import type { FileObject, Project } from '../model/index.ts';
import type { Plan } from '../plan/index.ts';
import type { ProjectContext } from './context.ts';

/** Why each service's containers change in a plan. */
export function changesOf(plan: Plan): Record<string, string> {
  const changes: Record<string, string> = {};
  for (const { operation, reason } of plan.steps) {
    if (operation.kind !== 'create-container' && operation.kind !== 'remove-container') continue;
    changes[operation.container.service] ??= reason;
  }
  return changes;
}

/** The project without what must not lie in a history: contents of secrets, and the caller's environment. */
function withoutSecrets(project: Project): Project {
  const bare = (objects: Record<string, FileObject>): Record<string, FileObject> =>
    Object.fromEntries(Object.entries(objects).map(([key, { content: _, ...object }]) => [key, object]));
  return { ...project, environment: {}, warnings: [], secrets: bare(project.secrets) };
}

function currentUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A uid without an entry in the user database has no name.
    return hostname();
  }
}

/** Records what an `up` reached, where the engine keeps a history and something changed. */
export async function recordRevision(
  context: ProjectContext,
  reached: { plan: Plan; project: Project; imageIds: Readonly<Record<string, string | undefined>> },
): Promise<void> {
  const Changes = changesOf(reached.plan);
  if (Object.keys(Changes).length === 0) return;
  const Images = Object.fromEntries(Object.entries(reached.imageIds).flatMap(([name, id]) => (id ? [[name, id]] : [])));
  try {
    await context.client.projects.record(context.projectName, {
      User: currentUser(),
      Images,
      Changes,
      Document: withoutSecrets(reached.project),
    });
  } catch (error) {
    // Only Berth has this call; elsewhere there is no history.
    if (!isBerthError(error, 'not-found')) throw error;
  }
}
