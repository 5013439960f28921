import type { ImageInspect } from '#api-types';
import { isBerthError } from '#base';
import { executePlan, observe } from '../execute/index.ts';
import { imageName, labels, type ObservedContainer, type Plan, planDown } from '../plan/index.ts';
import type { ComposeContext } from './context.ts';
import { inTurn } from './in-turn.ts';
import { projectOfContainers } from './project-of-containers.ts';
import { untilSettled } from './until-settled.ts';

/** What is removed beside containers and networks. */
export interface DownOptions {
  readonly services: readonly string[];
  readonly removeOrphans: boolean;
  readonly volumes: boolean;
  readonly images: 'none' | 'local' | 'all';
  /** Seconds until a container is killed; its own time when absent. */
  readonly timeout?: number | undefined;
  readonly dryRun: boolean;
}

/** Whether an image was built by compose for this project. */
function isBuiltFor(project: string, image: ImageInspect): boolean {
  return image.Config?.Labels?.[labels.project] === project;
}

/** The images that are there of those that `images` means: all of the services', or those that compose built. */
async function imagesToRemove(
  { client, projectName, ...context }: ComposeContext,
  { images, services }: DownOptions,
  containers: readonly ObservedContainer[],
): Promise<string[]> {
  if (images === 'none') return [];
  const project = context.project ?? projectOfContainers(projectName, containers);
  const wanted = Object.values(project.services).filter(({ name }) => services.length === 0 || services.includes(name));
  const found = await Promise.all(
    wanted.map(async (service): Promise<string[]> => {
      const name = imageName(project, service);
      try {
        const image = await client.images.inspect(name);
        const takes = images === 'all' || service.image === undefined || isBuiltFor(projectName, image);
        return takes ? [image.RepoTags.includes(`${name}:latest`) ? `${name}:latest` : name] : [];
      } catch (error) {
        if (isBerthError(error, 'not-found')) return [];
        throw error;
      }
    }),
  );
  return [...new Set(found.flat())].sort();
}

/** Stops and removes all of a project; returns the plan that was run. */
export async function down(context: ComposeContext, options: DownOptions): Promise<Plan> {
  if (options.dryRun) return planAll(context, options);
  const ends = options.services.length === 0;
  return inTurn(context, { command: 'down', ends }, (inside) => untilSettled(inside, () => runDown(inside, options)));
}

async function planAll(context: ComposeContext, options: DownOptions): Promise<Plan> {
  const observed = await observe(context.client, context.projectName);
  return planDown({
    projectName: context.projectName,
    project: context.project,
    observed,
    services: options.services,
    removeOrphans: options.removeOrphans,
    volumes: options.volumes,
    images: await imagesToRemove(context, options, observed.containers),
    timeout: options.timeout,
  });
}

async function runDown(context: ComposeContext, options: DownOptions): Promise<Plan> {
  const plan = await planAll(context, options);
  if (plan.steps.length === 0 && Object.keys(context.project?.networks ?? {}).length === 0) {
    context.reporter.warn(`Warning: No resource found to remove for project "${context.projectName}".`);
  }
  await executePlan(plan, context);
  return plan;
}
