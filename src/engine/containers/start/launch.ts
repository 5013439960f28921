import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, parseByteSize, type UndoStack, withUndo } from '#base';
import type { Mounts } from '#host';
import type { Sandboxes } from '#network';
import type { RuntimeMount } from '#oci';
import { buildRuntimeSpec, type Runtime, type Task } from '#runtime';
import type { LogShipper } from '../../logging/log-shipper.ts';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import { locatePath } from '../rootfs/container-path.ts';
import { secretMounts } from '../secrets/put-secret.ts';
import type { SecretFiles } from '../secrets/secret-files.ts';
import { applyEdits } from './cdi/apply-edits.ts';
import { resolveUser } from './container-user.ts';
import { deviceEdits } from './device-requests.ts';
import { chooseNamespaces, ipcOwner, joinedContainer } from './join-namespaces.ts';
import { linkEnvironment } from './link-environment.ts';
import { explainMapping } from './map-owner.ts';
import { type MountDependencies, prepareMounts } from './mount-plan.ts';
import { networkFileMounts, writeNetworkFiles } from './network-files.ts';
import { announceNetworks, openNetwork } from './open-network.ts';
import type { HostAbilities } from './resources.ts';
import { runtimeProgram } from './runtime-program.ts';
import { specInput } from './spec-input.ts';

/** What a launch needs. */
export interface LaunchDependencies extends MountDependencies {
  readonly registry: ContainerRegistry;
  readonly runtime: Pick<Runtime, 'create'>;
  readonly networks: Sandboxes;
  readonly hostMounts: Pick<Mounts, 'mount' | 'unmount'>;
  readonly secrets: Pick<SecretFiles, 'find'>;
  readonly limits: HostAbilities;
  /** Cgroup that holds all containers, `/berth`. */
  readonly cgroupParent: string;
  /** Program for `--init` on this host. */
  readonly initPath: string;
  /** Every container gets an init unless it says no. */
  readonly initByDefault: boolean;
  /** Directory for shared memory of `--ipc shareable`; ends with the boot. */
  readonly shmDirectory: string;
  readonly logShipper: LogShipper;
}

/**
 * Takes a container from rest to a running process: root file system and network side by side, then mounts, spec and
 * task; waiting clients are wired before the process runs. Returns the running task; a failure undoes everything.
 */
export function launch(deps: LaunchDependencies, container: LiveContainer): Promise<Task> {
  return withUndo(async (undo) => {
    const edits = await deviceEdits(container.settings.host.deviceRequests);
    const [rootfs, network] = await together([
      acquireRootfs(deps, container, undo),
      enterNetwork(deps, container, undo),
    ] as const);
    const view = { rootfs, mounts: [] };
    const [user, mounts] = await together([
      resolveUser(view, container.settings.process.user, container.settings.host.groupAdd),
      collectMounts(deps, container, { rootfs, undo }),
      prepareRootfs(container, rootfs),
    ] as const);
    const asked = await specInput(container, {
      rootfs,
      user,
      mounts,
      namespaces: { ...chooseNamespaces(deps.registry, container), network },
      cgroupParent: deps.cgroupParent,
      initPath: deps.initPath,
      initByDefault: deps.initByDefault,
      host: deps.limits,
      linkEnvironment: linkEnvironment(deps.registry, container),
    });
    const input = edits.length > 0 ? await applyEdits(asked, edits) : asked;
    const { settings } = container;
    const log = settings.paths.log === '' ? {} : { logPath: settings.paths.log, ...logRotation(container) };
    await deps.logShipper.prepare(container);
    undo.push(() => deps.logShipper.forget(container));
    const creation = deps.runtime.create({
      id: container.id,
      spec: buildRuntimeSpec(input),
      ...(settings.host.runtime === '' ? {} : { runtime: runtimeProgram(settings.host.runtime) }),
      stdin: settings.process.openStdin,
      stdinOnce: settings.process.stdinOnce,
      ...log,
    });
    const task = await creation.catch((error: unknown) => {
      throw explainMapping(error, mounts);
    });
    undo.push(() => task.remove());
    await deps.hostSources.release(container.id);
    await container.attaches.wire(task);
    await task.start();
    return task;
  });
}

async function acquireRootfs(deps: LaunchDependencies, container: LiveContainer, undo: UndoStack): Promise<string> {
  const path = await deps.rootfs.acquire(container.id);
  undo.push(() => deps.rootfs.release(container.id));
  return path;
}

async function enterNetwork(deps: LaunchDependencies, container: LiveContainer, undo: UndoStack) {
  const { source, sandbox } = await openNetwork(deps, container);
  if (sandbox) {
    undo.push(async () => {
      container.sandbox = undefined;
      await deps.networks.close(container.id);
    });
  }
  container.sandbox = sandbox;
  if (joinedContainer(deps.registry, container.settings.host.networkMode, 'network') === undefined) {
    await writeNetworkFiles(container, sandbox);
  }
  announceNetworks(deps.events, container, 'connect');
  return source;
}

/** All mounts beyond the standard ones, outer before inner: a volume on /etc must not hide /etc/hosts. */
async function collectMounts(
  deps: LaunchDependencies,
  container: LiveContainer,
  options: { rootfs: string; undo: UndoStack },
): Promise<RuntimeMount[]> {
  const { host, mounts, paths } = container.settings;
  const taken = new Set(mounts.map((mount) => mount.point.destination));
  // Who shares a network shares its files too.
  const owner = joinedContainer(deps.registry, host.networkMode, 'network');
  const files = networkFileMounts(owner?.settings.paths ?? paths, taken);
  const shm = taken.has('/dev/shm') ? [] : await sharedMemory(deps, container, options.undo);
  const secrets = await secretMounts(deps.secrets, container);
  const all = [...files, ...shm, ...(await prepareMounts(deps, container, options)), ...secrets];
  const depth = ({ destination }: RuntimeMount) => destination.split('/').filter(Boolean).length;
  return all.sort((a, b) => depth(a) - depth(b));
}

/** /dev/shm where it is not simply the container's own. */
async function sharedMemory(
  deps: LaunchDependencies,
  container: LiveContainer,
  undo: UndoStack,
): Promise<RuntimeMount[]> {
  const { ipcMode, shmSize } = container.settings.host;
  const bind = (source: string) => [{ destination: '/dev/shm', type: 'bind', source, options: ['rbind', 'rprivate'] }];
  if (ipcMode === 'host') return bind('/dev/shm');
  const owner = ipcOwner(deps.registry, ipcMode);
  if (owner) return bind(owner.settings.host.ipcMode === 'host' ? '/dev/shm' : join(deps.shmDirectory, owner.id));
  if (ipcMode !== 'shareable') return [];
  const target = join(deps.shmDirectory, container.id);
  await mkdir(target, { recursive: true });
  const options = ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmSize}`];
  await deps.hostMounts.mount({ type: 'tmpfs', source: 'shm', target, options });
  undo.push(() => deps.hostMounts.unmount(target));
  return bind(target);
}

/** What the image need not have: the working directory, and the file by which programs know that they are contained. */
async function prepareRootfs(container: LiveContainer, rootfs: string): Promise<void> {
  const { workingDir } = container.settings.process;
  if (workingDir !== '' && workingDir !== '/') {
    const { hostPath, exists } = await locatePath({ rootfs, mounts: [] }, workingDir, { followLast: true });
    if (!exists) await mkdir(hostPath, { recursive: true });
  }
  if (container.state.startedAt !== undefined) return;
  // `wx` neither overwrites nor follows a link of the image.
  await writeFile(join(rootfs, '.dockerenv'), '', { flag: 'wx', mode: 0o755 }).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
}

function logRotation(container: LiveContainer) {
  const options = { 'max-size': '10m', 'max-file': '3', ...container.settings.host.log.options };
  const maxFiles = Number(options['max-file']);
  if (options['max-size'] === '-1') return {};
  return { logRotation: { maxBytes: parseByteSize(options['max-size']), maxFiles: maxFiles > 0 ? maxFiles : 1 } };
}

/** Waits for all, also when one fails, so that each has registered its undo before the rollback; throws the first error. */
async function together<T extends readonly Promise<unknown>[]>(
  steps: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(steps);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(steps) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
}
