import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withUndo } from '#base';
import type { MountOptions, Snapshotter } from '#snapshot';
import type { StepLayer } from '../cache/cache-records.ts';
import type { BuildSession } from './build-session.ts';

/** A file system being changed by a step. */
export interface WorkingTree {
  /** Where it is mounted. */
  readonly root: string;
  /** The step's own directory for mount points; removed afterwards. */
  readonly directory: string;
  /** Runs after the tree was unmounted, on the directory that holds the changes. */
  afterUnmount(clean: (changes: string) => Promise<void>): void;
}

/**
 * Prepares a snapshot on `parent`, mounts it, lets `change` work on it, unmounts it and commits what changed as a layer;
 * undefined when nothing did. Whatever fails, nothing stays behind.
 */
export async function changeTree(
  session: BuildSession,
  parent: string | undefined,
  change: (tree: WorkingTree) => Promise<void>,
): Promise<StepLayer | undefined> {
  const { snapshots, images } = session.services;
  const name = session.nextName();
  const key = session.snapshotKey(name);
  return withUndo(async (undo) => {
    const cleaners: ((changes: string) => Promise<void>)[] = [];
    await snapshots.prepare(key, parent);
    undo.push(() => snapshots.remove(key));
    await mountedAt(placeOf(session, name), { key, volatile: true }, (root, directory) =>
      change({ root, directory, afterUnmount: (clean) => cleaners.push(clean) }),
    );
    const changes = cleaners.length === 0 ? '' : await snapshots.directory(key);
    for (const clean of cleaners) await clean(changes);
    const layer = await images.commitLayer(key, parent, { skipEmpty: true });
    undo.clear();
    if (layer) session.liveChains.add(layer.chainId);
    return layer;
  });
}

/** Mounts the committed snapshot `chainId` read-only while `use` works with it. An undefined one is an empty directory. */
export async function readTree<T>(
  session: BuildSession,
  chainId: string | undefined,
  use: (root: string) => Promise<T>,
): Promise<T> {
  return mountedAt(placeOf(session, session.nextName()), { key: chainId, readonly: true }, use);
}

/** Where a snapshot is mounted. */
interface MountPlace {
  readonly snapshots: Pick<Snapshotter, 'mount' | 'unmount'>;
  /** Made for this, and removed with whatever files lie flat in it. */
  readonly directory: string;
}

function placeOf({ services, runDirectory }: BuildSession, name: string): MountPlace {
  return { snapshots: services.snapshots, directory: join(runDirectory, name) };
}

/** Mounts a snapshot, without a key an empty directory, while `use` works with it. Nothing stays behind. */
export async function mountedAt<T>(
  { snapshots, directory }: MountPlace,
  { key, ...options }: MountOptions & { readonly key: string | undefined },
  use: (root: string, directory: string) => Promise<T>,
): Promise<T> {
  const root = join(directory, 'rootfs');
  await mkdir(root, { recursive: true });
  try {
    if (key !== undefined) await snapshots.mount(key, root, options);
    try {
      return await use(root, directory);
    } finally {
      if (key !== undefined) await snapshots.unmount(root);
    }
  } finally {
    await removeFlat(directory);
  }
}

/** Removes files and empty directories, never what is below them: a mount that is still there must not be emptied. */
async function removeFlat(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    await (entry.isDirectory() ? rmdir(path) : rm(path));
  }
  await rmdir(directory);
}
