import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isBerthError } from '#base';
import type { Snapshotter } from '#snapshot';
import type { VolumeService } from '#volume';
import type { EventJournal } from '../../events/events.ts';
import type { KeptLogs } from '../../projects/kept-logs.ts';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import type { SecretFiles } from '../secrets/secret-files.ts';
import type { BackgroundWork } from './background-work.ts';

/** What disposal needs. */
export interface DisposeDependencies {
  readonly registry: ContainerRegistry;
  readonly snapshots: Pick<Snapshotter, 'remove'>;
  readonly volumes: Pick<VolumeService, 'release' | 'get' | 'remove'>;
  readonly events: EventJournal;
  readonly background: BackgroundWork;
  readonly keptLogs: Pick<KeptLogs, 'removing'>;
  readonly secrets: Pick<SecretFiles, 'remove'>;
}

/**
 * Makes a container that does not run cease to exist: record and name go first, then whoever waits is told; snapshot
 * and directory go in the background, and at the next start should this daemon die before. Call under its lock.
 */
export async function dispose(
  deps: DisposeDependencies,
  container: LiveContainer,
  options: { volumes: boolean },
): Promise<void> {
  container.removing = true;
  await releaseVolumes(deps, container, options.volumes);
  await deps.keptLogs.removing(container, deps.registry.all());
  deps.events.publish('container', 'destroy', container.id, container.eventAttributes);
  await forget(deps, container);
  container.attaches.abort();
  container.waits.removed({ exitCode: container.state.exitCode });
  void deps.background.run(`clean-up of container ${container.id}`, async () => {
    await container.cleanup;
    await deps.secrets.remove(container.id);
    await deps.snapshots.remove(container.id);
    await rm(dirname(container.settings.paths.hosts), { recursive: true, force: true });
  });
}

/** On a full disk what a container has written may be what is in the way; it goes with the container anyhow. */
async function forget(deps: DisposeDependencies, container: LiveContainer): Promise<void> {
  try {
    deps.registry.delete(container);
  } catch (error) {
    if (!isBerthError(error, 'unavailable') || container.settings.paths.log === '') throw error;
    await container.cleanup;
    await rm(container.settings.paths.log, { force: true });
    deps.registry.delete(container);
  }
}

async function releaseVolumes(deps: DisposeDependencies, container: LiveContainer, remove: boolean): Promise<void> {
  const names = container.settings.mounts.flatMap(({ point }) =>
    point.type === 'volume' && point.name ? [point.name] : [],
  );
  if (names.length === 0) return;
  // A volume may be mounted until the run is cleaned up; only then can it go.
  await container.cleanup;
  await deps.volumes.release(container.id);
  if (!remove) return;
  for (const name of names) {
    try {
      const volume = await deps.volumes.get(name);
      if (!volume.anonymous) continue;
      await deps.volumes.remove(name);
      deps.events.publish('volume', 'destroy', name, { driver: volume.driver });
    } catch (error) {
      // Another container uses it, or it is gone: both are fine.
      if (!isBerthError(error, 'conflict') && !isBerthError(error, 'not-found')) throw error;
    }
  }
}
