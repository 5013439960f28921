import { executePlan, observe } from '../execute/index.ts';
import { type Plan, planDown } from '../plan/index.ts';
import type { ComposeContext } from './context.ts';

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

/** Stops and removes all of a project; returns the plan that was run. */
export async function down(context: ComposeContext, options: DownOptions): Promise<Plan> {
  const observed = await observe(context.client, context.projectName);
  const plan = planDown({
    projectName: context.projectName,
    project: context.project,
    observed,
    services: options.services,
    removeOrphans: options.removeOrphans,
    volumes: options.volumes,
    images: options.images,
    timeout: options.timeout,
  });
  if (options.dryRun) return plan;
  if (plan.steps.length === 0 && options.services.length === 0) {
    context.reporter.warn(`No resource found to remove for project "${context.projectName}".`);
  }
  await executePlan(plan, context);
  return plan;
}
