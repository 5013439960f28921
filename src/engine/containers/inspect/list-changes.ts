import type { Snapshotter } from '#snapshot';
import type { LiveContainer } from '../live-container.ts';
import type { RootfsMounts } from '../rootfs/rootfs-mounts.ts';
import { type Change, findChanges } from './changes.ts';

/** What the container changed in its image's files; the image is mounted read-only for the comparison. */
export async function listChanges(
  deps: { readonly snapshots: Pick<Snapshotter, 'directory'>; readonly rootfs: RootfsMounts },
  container: LiveContainer,
): Promise<Change[]> {
  const { parentSnapshot, mounts } = container.settings;
  const mountPoints = new Set(mounts.map((mount) => mount.point.destination));
  const upper = await deps.snapshots.directory(container.id);
  if (parentSnapshot === undefined) return findChanges(upper, { lower: undefined, mountPoints });
  const lower = await deps.rootfs.acquire(parentSnapshot, { readonly: true });
  try {
    return await findChanges(upper, { lower, mountPoints });
  } finally {
    await deps.rootfs.release(parentSnapshot);
  }
}
