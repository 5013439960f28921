import { isBerthError } from '#base';
import type { FileObject, Project } from '../model/index.ts';
import type { Plan } from '../plan/index.ts';
import type { ProjectContext } from './context.ts';
import { currentUser } from './current-user.ts';

/** Why each service's containers change in a plan. */
export function changesOf(plan: Plan): Record<string, string> {
  const changes: Record<string, string> = {};
  for (const { operation, reason } of plan.steps) {
    if (operation.kind !== 'create-container' && operation.kind !== 'remove-container') continue;
    changes[operation.container.service] ??= reason;
  }
  return changes;
}

/** The project without what must not lie in a history: secrets, values of variables, and the caller's environment. */
function withoutSecrets(project: Project): Project {
  const bare = ({ content: _, ...object }: FileObject): FileObject => object;
  const each = (objects: Record<string, FileObject>, change: typeof bare): Record<string, FileObject> =>
    Object.fromEntries(Object.entries(objects).map(([key, object]) => [key, change(object)]));
  return {
    ...project,
    environment: {},
    warnings: [],
    secrets: each(project.secrets, bare),
    configs: each(project.configs, (config) => (config.environment ? bare(config) : config)),
  };
}

/** Records what an `up` reached, where the engine keeps a history and something changed. */
export async function recordRevision(
  context: ProjectContext,
  reached: {
    changes: Readonly<Record<string, string>>;
    project: Project;
    imageIds: Readonly<Record<string, string | undefined>>;
  },
): Promise<void> {
  const Changes = { ...reached.changes };
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
