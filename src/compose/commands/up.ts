import { canceled, invalid, notFound } from '#base';
import { executeWithin, observe, type StartListener } from '../execute/index.ts';
import { type Project, type Service, updatePolicyOf } from '../model/index.ts';
import { divergedVolumes, holdStarts, type Plan, planUp, type RecreatePolicy } from '../plan/index.ts';
import type { ProjectContext } from './context.ts';
import { inTurn } from './in-turn.ts';
import { type ProvideImagesOptions, provideImages } from './provide-images.ts';
import { changesOf, recordRevision } from './record-revision.ts';
import { selectServices } from './select-services.ts';
import { untilSettled } from './until-settled.ts';

/** How a project is brought up. Times are seconds. */
export interface UpOptions {
  /** Services; all when empty. */
  readonly services: readonly string[];
  readonly images: ProvideImagesOptions;
  readonly recreate: RecreatePolicy;
  readonly recreateDependencies: RecreatePolicy;
  readonly noDeps: boolean;
  readonly removeOrphans: boolean;
  readonly ignoreOrphans: boolean;
  readonly renewAnonymousVolumes: boolean;
  /** Service to number of containers. */
  readonly scale: Readonly<Record<string, number>>;
  readonly start: boolean;
  readonly wait: boolean;
  readonly waitTimeout?: number | undefined;
  readonly timeout?: number | undefined;
  /** Plans only. */
  readonly dryRun: boolean;
  /** Asked for each volume that differs from the file; true: its data is thrown away. */
  readonly confirmVolume: (name: string) => Promise<boolean>;
  /**
   * Called once all is made and before anything is started, also where nothing is to be started. Given: nothing starts
   * before all is made.
   */
  readonly onMade?: ((plan: Plan) => void) | undefined;
  readonly starts?: StartListener | undefined;
}

/** The project with other numbers of containers. Throws `invalid` where a fixed name forbids more than one. */
function withScale(project: Project, scale: Readonly<Record<string, number>>): Project {
  if (Object.keys(scale).length === 0) return project;
  const services = { ...project.services };
  for (const [name, count] of Object.entries(scale)) {
    const service = services[name];
    if (service === undefined) throw notFound(`no such service: ${name}: not found`);
    if (count > 1 && service.container_name !== undefined) {
      throw invalid(
        `WARNING: The "${name}" service is using the custom container name "${service.container_name}". Docker requires each container to have a unique name. Remove the custom name to scale the service`,
      );
    }
    services[name] = { ...service, scale: count };
  }
  return { ...project, services };
}

/** A plan, and what it was made from. */
export interface PlannedProject {
  readonly plan: Plan;
  readonly project: Project;
  readonly imageIds: Readonly<Record<string, string | undefined>>;
}

/** Plans what `up` or `create` would do, and changes nothing. */
export function planProject(context: ProjectContext, options: UpOptions): Promise<PlannedProject> {
  const { project, services } = wanted(context, options);
  const names = services.map(({ name }) => name);
  return knownImages({ ...context, project }, names).then((imageIds) => planWith(context, options, imageIds));
}

/** The project in the numbers asked for, and the services that count. */
function wanted(context: ProjectContext, options: UpOptions) {
  const project = withScale(context.project, options.scale);
  const { named, selected } = selectServices(project, options.services, options.noDeps);
  const services = [...selected].flatMap((name) => project.services[name] ?? []);
  return { project, named, selected, services };
}

async function planWith(
  context: ProjectContext,
  options: UpOptions,
  imageIds: PlannedProject['imageIds'],
): Promise<PlannedProject> {
  const { project, named, selected, services } = wanted(context, options);
  const observed = await observe(context.client, context.projectName);
  const cannotSwap = await swapObstacle(context, services);
  const recreateVolumes = new Set<string>();
  for (const name of divergedVolumes(project, observed)) {
    if (await options.confirmVolume(name)) recreateVolumes.add(name);
  }
  const plan = planUp({
    project,
    observed,
    named,
    selected,
    imageIds,
    recreateVolumes,
    cannotSwap,
    hash: context.hash,
    recreate: options.recreate,
    recreateDependencies: options.recreateDependencies,
    removeOrphans: options.removeOrphans,
    ignoreOrphans: options.ignoreOrphans,
    renewAnonymousVolumes: options.renewAnonymousVolumes,
    timeout: options.timeout,
    start: options.start,
    wait: options.wait,
  });
  return { plan, project, imageIds };
}

/** Why the engine cannot do what `x-update: start-first` asks for; it is only asked where a service has that. */
async function swapObstacle(context: ProjectContext, services: readonly Service[]): Promise<string | undefined> {
  if (!services.some((service) => updatePolicyOf(service).order === 'start-first')) return undefined;
  const { Platform } = await context.client.system.version();
  if (Platform.Name === 'Berth') return undefined;
  return `this engine (${Platform.Name || 'not Berth'}) cannot hand ports and names over between containers`;
}

/** Ids of images that are there already, for a plan that must change nothing. */
async function knownImages(
  context: ProjectContext,
  names: readonly string[],
): Promise<Record<string, string | undefined>> {
  const ids: Record<string, string | undefined> = {};
  await Promise.all(
    names.map(async (name) => {
      const image = context.project.services[name]?.image ?? `${context.projectName}-${name}`;
      ids[name] = await context.client.images.inspect(image).then(
        ({ Id }) => Id,
        () => undefined,
      );
    }),
  );
  return ids;
}

/** Brings the project to what the file says; returns the plan that was run last. */
export async function up(context: ProjectContext, options: UpOptions): Promise<Plan> {
  if (options.dryRun) return (await planProject(context, options)).plan;
  // Images are made ready before others have to wait.
  const imageIds = await provideImages(context, wanted(context, options).services, options.images);
  if (context.signal?.aborted) throw canceled('aborted');
  return inTurn(context, { command: options.start ? 'up' : 'create', ends: false }, (inside) =>
    upInTurn(inside, options, imageIds),
  );
}

async function upInTurn(
  context: ProjectContext,
  options: UpOptions,
  imageIds: PlannedProject['imageIds'],
): Promise<Plan> {
  const changes: Record<string, string> = {};
  let made = false;
  const { plan, project } = await untilSettled(context, async () => {
    const planned = await planWith(context, options, imageIds);
    Object.assign(changes, { ...changesOf(planned.plan), ...changes });
    const sayMade = (): void => {
      if (!made) options.onMade?.(planned.plan);
      made = true;
    };
    const starts: StartListener = {
      starting: (container) => {
        sayMade();
        return options.starts?.starting(container);
      },
      failed: (id) => options.starts?.failed(id),
    };
    const ordered = options.onMade === undefined ? planned.plan : holdStarts(planned.plan);
    await executeWithin(ordered, { ...context, ...planned, starts }, options.waitTimeout);
    sayMade();
    return planned;
  });
  if (context.signal?.aborted) throw canceled('aborted');
  if (options.start) await recordRevision(context, { changes, project, imageIds });
  return plan;
}
