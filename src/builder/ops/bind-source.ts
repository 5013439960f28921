import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, type UndoStack } from '#base';
import type { GraphNode, RunMount } from '../graph/operation.ts';
import { resolveInRoot } from '../tree/root-path.ts';
import type { BuildSession } from './build-session.ts';
import type { StepResult } from './step-result.ts';

/** What the bind mounts of a RUN are made from. */
export interface BindContext {
  readonly session: BuildSession;
  /** Results of the nodes that bind mounts come from, by node. */
  readonly origins: ReadonlyMap<GraphNode, StepResult>;
  readonly signal: AbortSignal;
}

/**
 * The file or directory on this machine that a bind mount shows; `place` is a path of its own to mount at, and `cleanup`
 * gives everything back. What is written to a writable one is thrown away: it never reaches the origin.
 * Throws `invalid` when the origin has no such path.
 */
export async function bindSource(
  context: BindContext,
  mount: RunMount,
  options: { place: string; cleanup: UndoStack },
): Promise<string> {
  const { session, origins, signal } = context;
  const { place, cleanup } = options;
  const { origin } = mount;
  await mkdir(place, { recursive: true });
  if (origin.kind === 'context') {
    const tree = await session.contexts.directoryOf(origin.name, signal);
    if (mount.readonly) return existing(tree, mount);
    await mountOver(session, tree, options);
    return existing(place, mount);
  }
  const { snapshots } = session.services;
  const chainId = origin.kind === 'node' ? origins.get(origin.node)?.chainId : undefined;
  if (chainId === undefined) return existing(place, mount);
  let key = chainId;
  if (!mount.readonly) {
    key = session.snapshotKey(session.nextName());
    await snapshots.prepare(key, chainId);
    cleanup.push(() => snapshots.remove(key));
  }
  await snapshots.mount(key, place, { readonly: mount.readonly });
  cleanup.push(() => snapshots.unmount(place));
  return existing(place, mount);
}

/** Mounts a view of `tree` whose changes go to a directory that ends with the build. */
async function mountOver(
  session: BuildSession,
  tree: string,
  { place, cleanup }: { place: string; cleanup: UndoStack },
): Promise<void> {
  const { mounts } = session.services;
  const changes = join(session.filesDirectory, session.nextName());
  const [upper, work] = [join(changes, 'upper'), join(changes, 'work')];
  await mkdir(upper, { recursive: true });
  await mkdir(work);
  // The root of the view is the upper directory's.
  const { uid, gid, mode } = await stat(tree);
  await chown(upper, uid, gid);
  await chmod(upper, mode & 0o7777);
  const options = [`lowerdir=${tree}`, `upperdir=${upper}`, `workdir=${work}`];
  await mounts.mount({ type: 'overlay', source: 'overlay', target: place, options });
  cleanup.push(() => mounts.unmount(place));
}

function existing(root: string, mount: RunMount): string {
  const path = resolveInRoot(root, mount.source);
  if (!existsSync(path)) throw invalid(`bind mount for ${mount.target}: ${mount.source} does not exist in its origin`);
  return path;
}
