import { randomBytes } from 'node:crypto';
import type { ContainerCreateRequest } from '#api-types';
import { deliverFile, executePlan, observe } from '../execute/index.ts';
import type { Service } from '../model/index.ts';
import { containerRequest, planUp, refOf, scaleOf, uploadedFiles } from '../plan/index.ts';
import type { ProjectContext } from './context.ts';
import { type ProvideImagesOptions, provideImages } from './provide-images.ts';
import { selectServices } from './select-services.ts';
import { untilSettled } from './until-settled.ts';

/** A container of a service's that runs one command. */
export interface OneOffOptions {
  /** The service with everything that the command line changes. */
  readonly service: Service;
  readonly images: ProvideImagesOptions;
  readonly name?: string | undefined;
  readonly noDeps: boolean;
  readonly useAliases: boolean;
  readonly stdin: boolean;
  readonly removeOrphans: boolean;
  readonly autoRemove: boolean;
}

/** Brings up what a one-off container depends on, and creates it. Returns its id and name; it is not started. */
export async function createOneOff(
  context: ProjectContext,
  options: OneOffOptions,
): Promise<{ id: string; name: string; body: ContainerCreateRequest }> {
  const { service } = options;
  const project = { ...context.project, services: { ...context.project.services, [service.name]: service } };
  const inProject = { ...context, project };
  const { selected } = selectServices(project, [service.name], options.noDeps);
  const services = [...selected].flatMap((name) => project.services[name] ?? []);
  const imageIds = await provideImages(inProject, services, options.images);
  await untilSettled(context, async () => {
    await prepare(inProject, options, { selected, imageIds });
    await startDependencies(inProject, { service, imageIds, selected });
  });
  const slug = randomBytes(32).toString('hex');
  const name = options.name || `${context.projectName}-${service.name}-run-${slug.slice(0, 12)}`;
  const after = await observe(context.client, context.projectName);
  const body = containerRequest(service, {
    project,
    number: 1,
    name,
    hash: context.hash,
    imageId: imageIds[service.name],
    find: (other) =>
      after.containers
        .filter((container) => container.service === other && !container.oneOff)
        .map((container) => ({ ...refOf(container), id: container.id })),
    oneOff: { slug, useAliases: options.useAliases, stdin: options.stdin },
  });
  const request = { ...body, HostConfig: { ...body.HostConfig, AutoRemove: options.autoRemove } };
  const { Id } = await context.client.containers.create(request, {
    name,
    ...(service.platform ? { platform: service.platform } : {}),
  });
  for (const file of uploadedFiles(service, project)) await deliverFile(context.client, Id, { file, project });
  return { id: Id, name, body: request };
}

/** Makes networks, volumes and the dependencies' containers. */
async function prepare(
  context: ProjectContext,
  options: OneOffOptions,
  given: { imageIds: Record<string, string | undefined>; selected: ReadonlySet<string> },
): Promise<void> {
  const { service } = options;
  const { project } = context;
  const { imageIds, selected } = given;
  const observed = await observe(context.client, context.projectName);
  // The service's own containers stay as they are: only its networks, volumes and dependencies count.
  const plan = planUp({
    project: { ...project, services: { ...project.services, [service.name]: keepScale(service, observed.containers) } },
    observed,
    named: new Set([service.name]),
    selected,
    recreate: 'never',
    recreateDependencies: 'diverged',
    imageIds,
    hash: context.hash,
    removeOrphans: options.removeOrphans,
    ignoreOrphans: true,
    renewAnonymousVolumes: false,
    start: false,
    recreateVolumes: new Set(),
    wait: false,
  });
  // Dependencies are told of when they are started.
  await executePlan({ ...plan, unchanged: [] }, { ...context, imageIds });
}

/** As many containers as there are: a one-off neither adds nor removes any. */
function keepScale(service: Service, containers: readonly { service: string; oneOff: boolean }[]): Service {
  const count = containers.filter((container) => container.service === service.name && !container.oneOff).length;
  return { ...service, scale: count };
}

/** Starts what the service depends on and waits for its conditions. */
async function startDependencies(
  context: ProjectContext,
  options: { service: Service; imageIds: Record<string, string | undefined>; selected: ReadonlySet<string> },
): Promise<void> {
  const { service, imageIds, selected } = options;
  const names = Object.keys(service.depends_on ?? {}).filter((name) => selected.has(name));
  if (names.length === 0) return;
  const { project } = context;
  const others = new Set([...selected].filter((name) => name !== service.name));
  const observed = await observe(context.client, context.projectName);
  const plan = planUp({
    project,
    observed,
    named: new Set(),
    selected: others,
    recreate: 'never',
    recreateDependencies: 'never',
    imageIds,
    hash: context.hash,
    removeOrphans: false,
    ignoreOrphans: true,
    renewAnonymousVolumes: false,
    start: true,
    recreateVolumes: new Set(),
    wait: false,
    waitFor: names.flatMap((name) => {
      const dependency = service.depends_on?.[name];
      const count = project.services[name] === undefined ? 0 : scaleOf(project.services[name]);
      return dependency === undefined || count === 0 ? [] : [{ name, dependency }];
    }),
  });
  await executePlan(plan, { ...context, imageIds });
}
