import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '#base';
import type { NetworkService } from '#network';
import type { ExitStatus, Runtime } from '#runtime';
import type { Snapshotter } from '#snapshot';
import type { VolumeService } from '#volume';
import { startsWithDaemon } from './life/restart-policy.ts';
import type { Supervisor } from './life/supervisor.ts';
import { isUp, type LiveContainer } from './live-container.ts';
import type { ContainerRegistry } from './registry.ts';
import type { RootfsMounts } from './rootfs/rootfs-mounts.ts';
import type { SecretFiles } from './secrets/secret-files.ts';

/** What reconciling needs. */
export interface ReconcileDependencies {
  readonly registry: ContainerRegistry;
  readonly runtime: Pick<Runtime, 'adopt' | 'list'>;
  readonly snapshots: Pick<Snapshotter, 'list' | 'remove'>;
  readonly networks: Pick<NetworkService, 'reconcile' | 'find'>;
  readonly volumes: Pick<VolumeService, 'reconcile' | 'adopt'>;
  readonly rootfs: RootfsMounts;
  readonly supervisor: Supervisor;
  readonly secrets: Pick<SecretFiles, 'list' | 'remove'>;
  readonly directory: string;
  readonly logger: Logger;
}

/** Exit code of a container whose end nobody saw, such as by a power cut (Docker's too). */
const unseenExit = 255;
const containerKey = /^[0-9a-f]{64}$/;

/**
 * Brings records and kernel in line, once, before the engine answers anybody: running containers are taken over, exits
 * that nobody saw are recorded, what belongs to no container is removed. Returns who shall be started again.
 */
export async function reconcile(deps: ReconcileDependencies): Promise<LiveContainer[]> {
  const containers = deps.registry.all();
  const toStart = containers.filter(shallStart);
  const alive = new Set<string>();
  const ended: { container: LiveContainer; status: ExitStatus }[] = [];
  for (const container of containers) {
    const fate = await takeOver(deps, container);
    if (fate === 'alive') alive.add(container.id);
    else if (fate !== 'at rest') ended.push({ container, status: fate });
  }
  await deps.networks.reconcile(alive);
  for (const container of containers) {
    if (alive.has(container.id)) container.sandbox = await deps.networks.find(container.id);
  }
  // In the order in which they ended, as the events tell it.
  ended.sort((one, other) => one.status.at - other.status.at);
  for (const { container, status } of ended) await deps.supervisor.recordMissedExit(container, status);
  await removeLeftovers(deps);
  await deps.volumes.reconcile(new Set(deps.registry.all().map((container) => container.id)));
  return toStart;
}

/** What became of a container while no daemon watched; `alive` ones are ours again. */
async function takeOver(
  deps: ReconcileDependencies,
  container: LiveContainer,
): Promise<'alive' | 'at rest' | ExitStatus> {
  // Whose end comes to light from here on leaves its networks with it.
  if (isUp(container.state)) container.sandbox = await deps.networks.find(container.id);
  const task = await deps.runtime.adopt(container.id);
  const ended = task === undefined ? undefined : await Promise.race([task.exit, nextTurn()]);
  if (task !== undefined && ended === undefined && isUp(container.state)) {
    for (const { point } of container.settings.mounts) {
      if (point.type === 'volume' && point.name) await deps.volumes.adopt(point.name, container.id);
    }
    deps.supervisor.adopt(container, task);
    return 'alive';
  }
  // A start that was never acknowledged, or what an exit left, is taken back.
  await task?.remove();
  await deps.rootfs.discard(container.id);
  if (!isUp(container.state)) return 'at rest';
  return ended ?? { code: unseenExit, at: Date.now(), oomKilled: false };
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}

async function removeLeftovers(deps: ReconcileDependencies): Promise<void> {
  const known = new Set(deps.registry.all().map((container) => container.id));
  const orphan = (id: string) => containerKey.test(id) && !known.has(id);
  const attempt = async (what: string, task: () => Promise<unknown>) => {
    try {
      await task();
    } catch (error) {
      deps.logger.warn(`cannot remove ${what}`, { error });
    }
  };
  for (const id of (await deps.runtime.list()).filter(orphan)) {
    await attempt(`leftover task ${id}`, async () => (await deps.runtime.adopt(id))?.remove());
  }
  for (const { key, kind } of await deps.snapshots.list()) {
    if (kind !== 'active' || !orphan(key)) continue;
    await attempt(`leftover snapshot ${key}`, async () => {
      await deps.rootfs.discard(key);
      await deps.snapshots.remove(key);
    });
  }
  for (const id of (await deps.secrets.list()).filter(orphan)) {
    await attempt(`leftover secrets of ${id}`, () => deps.secrets.remove(id));
  }
  for (const id of (await readdir(deps.directory)).filter(orphan)) {
    await attempt(`leftover directory of ${id}`, () => rm(join(deps.directory, id), { recursive: true, force: true }));
  }
}

function shallStart({ settings, state, removing }: LiveContainer): boolean {
  if (removing || state.startedAt === undefined) return false;
  if (state.status === 'restarting') return true;
  const { exitCode, stoppedByUser, restartCount } = state;
  return startsWithDaemon(settings.host.restart, { exitCode, stoppedByUser, restartCount, ranFor: 0, lastDelay: 0 });
}
