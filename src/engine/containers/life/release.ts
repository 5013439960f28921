import { join } from 'node:path';
import type { Mounts } from '#host';
import type { Task } from '#runtime';
import type { LiveContainer } from '../live-container.ts';
import { type MountDependencies, releaseMounts } from '../start/mount-plan.ts';

/** What releasing needs. */
export interface ReleaseDependencies extends MountDependencies {
  readonly hostMounts: Pick<Mounts, 'unmount'>;
  readonly shmDirectory: string;
}

/**
 * Gives back everything a run held beside its network: the task's remains, mounts, shared memory, root file system. Goes
 * on past errors and throws them together. Harmless when something is gone already.
 */
export async function releaseRun(
  deps: ReleaseDependencies,
  container: LiveContainer,
  task: Task | undefined,
): Promise<void> {
  const errors: unknown[] = [];
  const attempt = (step: () => Promise<void>) => step().catch((error: unknown) => void errors.push(error));
  await attempt(async () => task?.remove());
  await Promise.all([
    attempt(() => releaseMounts(deps, container)),
    attempt(async () => {
      if (container.settings.host.ipcMode !== 'shareable') return;
      await deps.hostMounts.unmount(join(deps.shmDirectory, container.id));
    }),
    attempt(() => deps.rootfs.release(container.id)),
  ]);
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
}
