import { mkdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errnoOf, invalid, isBerthError, newId, shortId, type UndoStack, withUndo } from '#base';
import type { Image, ImageReader } from '#image';
import type { Sandboxes } from '#network';
import { formatPlatform, parsePlatform, platformMatches } from '#oci';
import type { Runtime } from '#runtime';
import type { Snapshotter } from '#snapshot';
import type { Volume, VolumeService } from '#volume';
import type { EventJournal } from '../../events/events.ts';
import type { ContainerRequest } from '../container.ts';
import { type ContainerSettings, initialState, LiveContainer, type PlannedMount } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import { runtimeProgram } from '../start/runtime-program.ts';
import { chooseLog, type LogChoice } from './log-options.ts';
import { mergeImage } from './merge-image.ts';
import { planMounts } from './plan-mounts.ts';
import { randomName } from './random-name.ts';
import { storageOptions } from './storage-options.ts';
import { type HostLimits, validateRequest } from './validate.ts';

/** Bytes of /dev/shm. */
const defaultShm = 64 * 1024 * 1024;

/** What creation needs. */
export interface CreateDependencies {
  readonly registry: ContainerRegistry;
  readonly images: Pick<ImageReader, 'get' | 'unpack'>;
  readonly snapshots: Pick<Snapshotter, 'prepare' | 'remove'>;
  readonly volumes: Pick<VolumeService, 'create' | 'get' | 'acquire' | 'release' | 'remove'>;
  readonly networks: Pick<Sandboxes, 'check'>;
  readonly runtimes: Runtime['runtimes'];
  readonly events: EventJournal;
  readonly limits: HostLimits;
  /** For containers that name no log driver. */
  readonly defaultLog: LogChoice;
  /** Directory that gets one directory per container. */
  readonly directory: string;
}

/**
 * Makes a container: all checks first, then name, snapshot, volumes, directory, and last the record, with which it
 * exists. A failure undoes everything; a crash before the record leaves what reconcile removes.
 */
export function createContainer(
  deps: CreateDependencies,
  asked: ContainerRequest,
): Promise<{ id: string; warnings: string[] }> {
  return withUndo(async (undo) => {
    const request = { ...asked, host: { ...asked.host, log: chooseLog(asked.host.log, deps.defaultLog) } };
    const warnings = validateRequest(request, deps.limits);
    checkChoices(deps, request);
    checkLinks(deps.registry, request.host.links);
    const id = newId();
    const name = request.name ?? randomName((candidate) => deps.registry.isTaken(candidate));
    deps.registry.reserve(name, id);
    undo.push(() => deps.registry.release(name));

    const host = resolveModes(deps, request);
    const image = await deps.images.get(request.image);
    checkPlatform(request, image);
    const merged = mergeImage(request, image.config.config ?? {});
    const inherited = request.host.volumesFrom.flatMap((from) => inheritedMounts(deps.registry, from));
    const planned = planMounts({ request, imageVolumes: merged.imageVolumes, inherited });
    await checkBindSources(planned);
    const networks = planNetworks(request);
    deps.networks.check(Object.entries(networks).map(([network, wanted]) => ({ ...wanted.request, network })));
    if (request.host.networkMode === 'host' && request.host.ports.length > 0) {
      warnings.push('Published ports are discarded when using host network mode');
    }

    const parentSnapshot = await deps.images.unpack(image);
    await deps.snapshots.prepare(id, parentSnapshot, storageOptions(request.host.storageOpt));
    undo.push(() => deps.snapshots.remove(id));
    const directory = join(deps.directory, id);
    await mkdir(directory, { recursive: true, mode: 0o710 });
    undo.push(() => rm(directory, { recursive: true, force: true }));
    const mounts = await makeVolumes(deps, { id, planned, undo });

    const { imageVolumes: _, ...fromImage } = merged;
    const settings: ContainerSettings = {
      id,
      name,
      createdAt: Date.now(),
      image: request.image,
      imageId: image.id,
      hostname: chooseHostname(request, id),
      domainname: request.domainname,
      ...fromImage,
      networkDisabled: request.networkDisabled,
      ...(request.onBuild ? { onBuild: request.onBuild } : {}),
      host,
      networks,
      paths: {
        log: request.host.log.driver === 'none' ? '' : join(directory, 'container.log'),
        hosts: join(directory, 'hosts'),
        hostname: join(directory, 'hostname'),
        resolvConf: join(directory, 'resolv.conf'),
      },
      mounts,
      parentSnapshot,
    };
    const container = new LiveContainer(settings, initialState);
    deps.events.publish('container', 'create', id, container.eventAttributes);
    deps.registry.insert(container);
    return { id, warnings };
  });
}

function checkChoices(deps: CreateDependencies, { host }: ContainerRequest): void {
  const wanted = runtimeProgram(host.runtime);
  if (wanted !== '' && !deps.runtimes.some((runtime) => runtime.name === wanted)) {
    throw invalid(`unknown or invalid runtime name: ${host.runtime}`);
  }
}

/** `NAME[:ALIAS]`, of a container there is. Throws `invalid` with Docker's text. */
function checkLinks(registry: ContainerRegistry, links: readonly string[]): void {
  for (const link of links) {
    const [name = '', , more] = link.split(':');
    if (name === '' || more !== undefined) throw invalid(`bad format for links: ${link}`);
    if (registry.tryFind(name) === undefined) {
      throw invalid(`could not get container for ${name}: No such container: ${name}`);
    }
  }
}

function checkPlatform(request: ContainerRequest, image: Image): void {
  if (!request.platform) return;
  const have = image.config;
  if (platformMatches(have, parsePlatform(request.platform))) return;
  throw invalid(
    `image with reference ${request.image} was found but does not provide the specified platform ` +
      `(${request.platform}); it is for ${formatPlatform(have)}`,
  );
}

/** `--volumes-from NAME[:ro|rw]`. */
function inheritedMounts(registry: ContainerRegistry, from: string): PlannedMount[] {
  const colon = from.lastIndexOf(':');
  const name = colon < 0 ? from : from.slice(0, colon);
  const mode = colon < 0 ? '' : from.slice(colon + 1);
  const words = mode === '' ? [] : mode.split(',');
  if (words.some((word) => !['ro', 'rw', 'z', 'Z'].includes(word))) throw invalid(`invalid mode: ${mode}`);
  const readonly = words.includes('ro');
  return giver(registry, name).settings.mounts.map(({ asked, point }) => ({
    asked: { ...asked, readonly: readonly || asked.readonly, source: point.name ?? asked.source },
    point: { ...point, mode: '', rw: point.rw && !readonly },
  }));
}

/** A missing one is a fault of the request, not of its address: clients take not-found here for a missing image. */
function giver(registry: ContainerRegistry, name: string): LiveContainer {
  try {
    return registry.find(name);
  } catch (error) {
    if (!isBerthError(error, 'not-found')) throw error;
    throw invalid(error.message, { cause: error });
  }
}

async function checkBindSources(planned: readonly PlannedMount[]): Promise<void> {
  for (const { asked, point } of planned) {
    if (point.type !== 'bind' || asked.createSource) continue;
    try {
      await stat(point.source);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
      throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${point.source}`);
    }
  }
}

/** Makes volumes that do not exist, and records that the container needs them. */
async function makeVolumes(
  deps: CreateDependencies,
  options: { id: string; planned: readonly PlannedMount[]; undo: UndoStack },
): Promise<PlannedMount[]> {
  const { id, planned, undo } = options;
  const mounts: PlannedMount[] = [];
  if (planned.some(({ point }) => point.type === 'volume')) undo.push(() => deps.volumes.release(id));
  for (const mount of planned) {
    const { asked, point } = mount;
    if (point.type !== 'volume' || point.name === undefined) {
      mounts.push(mount);
      continue;
    }
    const known = point.name === '' ? undefined : await findVolume(deps, point.name);
    const isNew = known === undefined;
    const volume =
      known ??
      (await deps.volumes.create({
        ...(point.name === '' ? {} : { name: point.name }),
        ...(point.driver ? { driver: point.driver } : {}),
        ...(asked.driver ? { options: asked.driver.options } : {}),
        labels: { ...asked.labels, ...(point.name === '' ? { 'com.docker.volume.anonymous': '' } : {}) },
      }));
    const { name } = volume;
    if (isNew) {
      undo.push(() => deps.volumes.remove(name, { force: true }));
      deps.events.publish('volume', 'create', name, { driver: volume.driver });
    }
    await deps.volumes.acquire(name, id);
    mounts.push({ asked, point: { ...point, name, driver: volume.driver, source: volume.mountpoint } });
  }
  return mounts;
}

async function findVolume(deps: CreateDependencies, name: string): Promise<Volume | undefined> {
  try {
    return await deps.volumes.get(name);
  } catch (error) {
    if (isBerthError(error, 'not-found')) return undefined;
    throw error;
  }
}

function chooseHostname(request: ContainerRequest, id: string): string {
  if (request.hostname !== '') return request.hostname;
  if (request.host.networkMode === 'host' || request.host.utsMode === 'host') return hostname();
  return request.host.networkMode.startsWith('container:') ? '' : shortId(id);
}

/** Modes that name another container are kept by id, so that a rename does not change their meaning. */
function resolveModes(deps: CreateDependencies, { host }: ContainerRequest): ContainerRequest['host'] {
  const owner = (mode: string) => giver(deps.registry, mode.slice('container:'.length));
  const resolve = (mode: string) => (mode.startsWith('container:') ? `container:${owner(mode).id}` : mode);
  const resolveNetwork = (mode: string): string => {
    if (!mode.startsWith('container:')) return mode;
    // Docker too finds out about a missing owner of a network only at start.
    const known = deps.registry.tryFind(mode.slice('container:'.length));
    return known === undefined ? mode : `container:${known.id}`;
  };
  const { memory = 0, memorySwap = 0 } = host.resources;
  return {
    ...host,
    // What a client leaves open is settled now, and inspect shows it.
    cgroupnsMode: host.cgroupnsMode || deps.limits.cgroupnsMode,
    shmSize: host.shmSize || defaultShm,
    runtime: host.runtime || (deps.runtimes[0]?.name ?? ''),
    // As much swap as memory, unless told otherwise; inspect shows it.
    resources: memory > 0 && memorySwap === 0 ? { ...host.resources, memorySwap: memory * 2 } : host.resources,
    networkMode: resolveNetwork(host.networkMode),
    ipcMode: resolve(host.ipcMode || 'private'),
    pidMode: resolve(host.pidMode),
  };
}

/** The networks asked for by name; the network mode names the first. */
function planNetworks({
  host,
  endpoints,
  networkDisabled,
  macAddress,
}: ContainerRequest): ContainerSettings['networks'] {
  const mode = host.networkMode === '' || host.networkMode === 'default' ? 'bridge' : host.networkMode;
  if (networkDisabled || mode.startsWith('container:')) return {};
  const given = endpoints[mode] ?? endpoints.default ?? {};
  const links = Object.fromEntries(
    host.links.map((link) => {
      const [target = '', alias = target] = link.split(':');
      return [alias.replace(/^\//, ''), target.replace(/^\//, '')];
    }),
  );
  const first = {
    ...given,
    ...(macAddress && !given.mac ? { mac: macAddress } : {}),
    ...(host.links.length > 0 ? { links: { ...given.links, ...links } } : {}),
  };
  const others = Object.entries(endpoints).filter(([name]) => name !== mode && name !== 'default');
  return Object.fromEntries([[mode, { request: first }], ...others.map(([name, request]) => [name, { request }])]);
}
