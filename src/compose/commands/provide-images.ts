import { BerthError, invalid, isBerthError, messageOf, notFound } from '#base';
import { combinedError, type Reporter } from '../execute/index.ts';
import { type Project, placeOf, type Service } from '../model/index.ts';
import { imageName } from '../plan/index.ts';
import type { ProjectContext } from './context.ts';

/** Gets images from outside: registries and builds. It tells the reporter how far it is. */
export interface ImageSource {
  /** Throws when the registry does not give it. */
  pull(
    image: string,
    options: {
      readonly platform?: string | undefined;
      readonly quiet: boolean;
      readonly reporter: Reporter;
      /** What the reporter knows the pull as. */
      readonly resource: string;
      /** Ends the pull, which then throws. */
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<void>;
  /** Throws what the build of a service lacks on this machine, naming service, key and place in the file. */
  checkBuild(service: Service, options: { readonly project: Project; readonly ssh?: string }): Promise<void>;
  /** Builds the image of a service and names it. */
  build(
    service: Service,
    options: {
      readonly project: Project;
      readonly image: string;
      readonly noCache?: boolean;
      readonly pull?: boolean;
      readonly args?: Readonly<Record<string, string | null>>;
      readonly memory?: number;
      /** An ssh agent beside those that the service's build names (`default`, `ID=SOCKET`). */
      readonly ssh?: string;
      readonly quiet: boolean;
      readonly reporter: Reporter;
      /** Ends the build, which then throws. */
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<void>;
}

/** How images are got. */
export interface ProvideImagesOptions {
  readonly source: ImageSource;
  /** `--pull`: overrides what the services say. */
  readonly pull?: string | undefined;
  /** Build those that can be built even when they are there; never; or only those missing. */
  readonly build: 'always' | 'never' | 'missing';
  readonly quietPull: boolean;
  readonly quietBuild: boolean;
}

/** Services whose image is a stage of another's build: `additional_contexts: x=service:NAME`. */
function buildDependencies(service: Service): string[] {
  return Object.values(service.build?.additional_contexts ?? {}).flatMap((text) =>
    text.startsWith('service:') ? [text.slice('service:'.length)] : [],
  );
}

/** Services and those whose images their builds use, in any depth: docker compose builds these along. */
export function withBuildDependencies(project: Project, services: readonly Service[]): Service[] {
  const found = new Map<string, Service>();
  const visit = (service: Service): void => {
    if (found.has(service.name)) return;
    found.set(service.name, service);
    for (const name of buildDependencies(service)) {
      const other = project.services[name] ?? project.disabledServices[name];
      if (other !== undefined) visit(other);
    }
  };
  services.forEach(visit);
  return [...found.values()];
}

/** Groups of services to build one after the other; the members of one group do not need each other. */
function buildOrder(services: readonly Service[]): Service[][] {
  const rest = new Map(services.map((service) => [service.name, service]));
  const groups: Service[][] = [];
  while (rest.size > 0) {
    const free = [...rest.values()].filter((service) => !buildDependencies(service).some((name) => rest.has(name)));
    if (free.length === 0) throw invalid(`dependency cycle among builds: ${[...rest.keys()].join(' -> ')}`);
    for (const service of free) rest.delete(service.name);
    groups.push(free);
  }
  return groups;
}

async function localImages(context: ProjectContext, names: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  await Promise.all(
    [...new Set(names)].map(async (name) => {
      try {
        found.set(name, (await context.client.images.inspect(name)).Id);
      } catch (error) {
        if (!isBerthError(error, 'not-found')) throw error;
      }
    }),
  );
  return found;
}

const dayNames: Readonly<Record<string, number>> = { daily: 1, weekly: 7 };

function pullPolicy(service: Service, override: string | undefined): string {
  const policy = override && override !== 'policy' ? override : (service.pull_policy ?? 'missing');
  if (policy === 'if_not_present' || policy === '') return 'missing';
  return policy;
}

/** Whether the local image is older than the policy (`daily`, `weekly`, `every_<duration>`) allows. */
async function isStale(context: ProjectContext, image: string, policy: string): Promise<boolean> {
  const every = /^every_(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(policy);
  const [, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = every ?? [];
  const limit =
    ((Number(weeks) * 7 + Number(days) + (dayNames[policy] ?? 0)) * 24 + Number(hours)) * 3600 +
    Number(minutes) * 60 +
    Number(seconds);
  if (limit === 0) return false;
  const { Metadata } = await context.client.images.inspect(image);
  return Date.now() - Date.parse(Metadata.LastTagTime) > limit * 1000;
}

async function mustPull(
  context: ProjectContext,
  service: Service,
  options: { policy: string; present: boolean },
): Promise<boolean> {
  const { policy, present } = options;
  if (service.image === undefined || policy === 'never' || policy === 'build') return false;
  if (policy === 'always' || !present) return true;
  return policy !== 'missing' && isStale(context, service.image, policy);
}

/** Pulls what is to be pulled; of services that can be built, a failure only means that they are built. */
async function pullImages(
  context: ProjectContext,
  services: readonly Service[],
  options: { all: ProvideImagesOptions; local: Map<string, string> },
): Promise<void> {
  const { all, local } = options;
  const pulled = new Set<string>();
  const results = await Promise.allSettled(
    services.map(async (service) => {
      const image = imageName(context.project, service);
      const policy = pullPolicy(service, all.pull);
      if (!(await mustPull(context, service, { policy, present: local.has(image) })) || pulled.has(image)) return;
      if (service.build !== undefined && all.build === 'always') return;
      pulled.add(image);
      const { reporter, signal } = context;
      reporter.status({ resource: service.name, text: 'Pulling', status: '', kind: 'working' });
      try {
        await all.source.pull(image, {
          platform: service.platform,
          quiet: all.quietPull,
          reporter,
          resource: service.name,
          signal,
        });
        reporter.status({ resource: service.name, text: 'Pulled', status: '', kind: 'done' });
      } catch (error) {
        if (signal?.aborted) {
          reporter.status({ resource: service.name, text: 'Canceled', status: '', kind: 'warning' });
          throw error;
        }
        if (service.build !== undefined && policy !== 'always') {
          reporter.status({ resource: service.name, text: 'Warning', status: messageOf(error), kind: 'warning' });
          return;
        }
        reporter.status({ resource: service.name, text: 'Error', status: messageOf(error), kind: 'error' });
        if (error instanceof BerthError) error.message += placeOf(context.project, ['services', service.name, 'image']);
        throw error;
      }
    }),
  );
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [{ error: result.reason as unknown }] : [],
  );
  if (failures.length > 0) throw combinedError(failures);
  for (const [name, id] of await localImages(context, [...pulled])) local.set(name, id);
}

/** Builds images of services and those that these builds use, independent ones at the same time. */
export async function buildImages(
  context: ProjectContext,
  services: readonly Service[],
  options: {
    readonly source: ImageSource;
    readonly quiet: boolean;
    readonly noCache?: boolean;
    readonly pull?: boolean;
    readonly args?: Readonly<Record<string, string | null>>;
    readonly memory?: number;
    readonly ssh?: string;
  },
): Promise<void> {
  const { source, ...rest } = options;
  const { project, reporter, signal } = context;
  const groups = buildOrder(withBuildDependencies(project, services));
  // Nothing is built where a later build cannot be.
  for (const service of groups.flat()) await source.checkBuild(service, { project, ...rest });
  for (const group of groups) {
    const results = await Promise.allSettled(
      group.map(async (service) => {
        const image = imageName(project, service);
        reporter.status({ resource: service.name, status: 'Building', kind: 'working' });
        try {
          await source.build(service, { project, image, reporter, signal, ...rest });
          reporter.status({ resource: service.name, status: 'Built', kind: 'done' });
        } catch (error) {
          const ending = signal?.aborted ? ({ status: 'Canceled', kind: 'warning' } as const) : undefined;
          reporter.status({ resource: service.name, ...(ending ?? { status: 'Error', kind: 'error' }) });
          throw error;
        }
      }),
    );
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [{ error: result.reason as unknown }] : [],
    );
    if (failures.length > 0) throw combinedError(failures);
  }
}

/**
 * Makes sure that every service has its image: pulls and builds by the services' policies. Returns the image's id of
 * each service. Throws `not-found` where an image is missing and may be neither pulled nor built.
 */
export async function provideImages(
  context: ProjectContext,
  services: readonly Service[],
  options: ProvideImagesOptions,
): Promise<Record<string, string | undefined>> {
  const { project } = context;
  const withImages = services.filter(({ provider }) => provider === undefined);
  const local = await localImages(
    context,
    withImages.map((service) => imageName(project, service)),
  );
  await pullImages(context, withImages, { all: options, local });
  const toBuild = withImages.filter((service) => {
    if (service.build === undefined || options.build === 'never') return false;
    const present = local.has(imageName(project, service));
    return options.build === 'always' || !present || pullPolicy(service, options.pull) === 'build';
  });
  if (toBuild.length > 0) {
    await buildImages(context, toBuild, { source: options.source, quiet: options.quietBuild });
    const names = toBuild.map((service) => imageName(project, service));
    for (const [name, id] of await localImages(context, names)) local.set(name, id);
  }
  for (const service of withImages) {
    const image = imageName(project, service);
    if (!local.has(image)) {
      throw notFound(
        service.build === undefined
          ? `No such image: ${image} (service "${service.name}")${placeOf(project, ['services', service.name, 'image'])}`
          : `No such image: ${image} (service "${service.name}"): build it with --build`,
      );
    }
  }
  return Object.fromEntries(withImages.map((service) => [service.name, local.get(imageName(project, service))]));
}
