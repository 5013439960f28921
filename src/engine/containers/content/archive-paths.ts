import { lstat, readlink } from 'node:fs/promises';
import { basename, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { TreeArchiver } from '#archive';
import { forbidden, invalid, newId, notFound } from '#base';
import type { VolumeService } from '#volume';
import type { EventJournal } from '../../events/events.ts';
import type { PathStat } from '../containers.ts';
import type { LiveContainer } from '../live-container.ts';
import { type FileView, type LocatedPath, locatePath } from '../rootfs/container-path.ts';
import type { RootfsMounts } from '../rootfs/rootfs-mounts.ts';
import { resolveUser } from '../start/container-user.ts';
import { goFileMode } from './go-file-mode.ts';
import { packView } from './pack-view.ts';

/** What copying in and out needs. */
export interface ArchiveDependencies {
  readonly rootfs: RootfsMounts;
  readonly volumes: Pick<VolumeService, 'mount' | 'unmount'>;
  readonly trees: TreeArchiver;
  readonly events: EventJournal;
}

/** Runs `body` on the container's files, running or not; the view lasts until `body` is done. */
async function withFiles<T>(
  deps: Pick<ArchiveDependencies, 'rootfs' | 'volumes'>,
  container: LiveContainer,
  body: (view: FileView) => Promise<T>,
): Promise<T> {
  const rootfs = await deps.rootfs.acquire(container.id);
  const user = `${container.id}:files:${newId().slice(0, 12)}`;
  const mounted: string[] = [];
  try {
    const mounts: FileView['mounts'][number][] = [];
    for (const { point } of container.settings.mounts) {
      if (point.type === 'volume' && point.name) {
        mounted.push(point.name);
        mounts.push({ ...point, source: await deps.volumes.mount(point.name, user) });
      } else if (point.type === 'bind') mounts.push(point);
    }
    return await body({ rootfs, mounts });
  } finally {
    for (const name of mounted) await deps.volumes.unmount(name, user);
    await deps.rootfs.release(container.id);
  }
}

/** What is at `path`; a link at its end is described, not followed. Throws `not-found`. */
export function statPath(deps: ArchiveDependencies, container: LiveContainer, path: string): Promise<PathStat> {
  return withFiles(deps, container, async (view) => describe(await find(container, view, path), container, view));
}

/** A tar of `path`; the first entry has its name. Throws `not-found`. The files are held until the stream ends. */
export async function readArchive(
  deps: ArchiveDependencies,
  container: LiveContainer,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<{ stat: PathStat; archive: Readable }> {
  return new Promise((resolve, reject) => {
    withFiles(deps, container, async (view) => {
      const located = await find(container, view, path);
      const facts = await describe(located, container, view);
      // `dir/.` means the contents, under the name `.`; else the path's own name.
      const rename = path.endsWith('/.') ? '.' : facts.name;
      const archive = await packView(deps.trees, view, { located, rename, signal });
      deps.events.publish('container', 'archive-path', container.id, container.eventAttributes);
      resolve({ stat: facts, archive });
      await finished(archive).catch(() => undefined);
    }).catch(reject);
  });
}

/** Unpacks a tar into the directory `path`. Throws `not-found`, `invalid` for a file, `forbidden` where it is read-only. */
export function writeArchive(
  deps: ArchiveDependencies,
  container: LiveContainer,
  options: {
    path: string;
    archive: Readable;
    noOverwriteDirNonDir: boolean;
    copyUidGid: boolean;
    signal: AbortSignal;
  },
): Promise<void> {
  return withFiles(deps, container, async (view) => {
    const { path, archive, noOverwriteDirNonDir, signal } = options;
    const located = await locatePath(view, path, { followLast: true });
    if (!located.exists) throw missing(container, path);
    if (!(await lstat(located.hostPath)).isDirectory()) throw invalid('extraction point is not a directory');
    const isRootfs = located.root === view.rootfs;
    if (!located.writable || (isRootfs && container.settings.host.readonlyRootfs)) {
      throw forbidden(`container rootfs is marked read-only: ${located.containerPath}`);
    }
    const owner = options.copyUidGid ? { owner: await ownerOf(container, view), keepOwner: false } : {};
    await deps.trees.unpack(located.root, located.inner, archive, { noOverwriteDirNonDir, signal, ...owner });
    deps.events.publish('container', 'extract-to-dir', container.id, container.eventAttributes);
  });
}

/** The whole root file system as a tar, without what is mounted over it. */
export async function exportRoot(deps: ArchiveDependencies, container: LiveContainer): Promise<Readable> {
  const rootfs = await deps.rootfs.acquire(container.id);
  try {
    const archive = await deps.trees.pack(rootfs, '/', { rename: '' });
    void finished(archive)
      .catch(() => undefined)
      .then(() => deps.rootfs.release(container.id));
    deps.events.publish('container', 'export', container.id, container.eventAttributes);
    return archive;
  } catch (error) {
    await deps.rootfs.release(container.id);
    throw error;
  }
}

async function ownerOf(container: LiveContainer, view: FileView) {
  const { uid, gid } = await resolveUser(view, container.settings.process.user, []);
  return { uid, gid };
}

async function find(container: LiveContainer, view: FileView, path: string): Promise<LocatedPath> {
  if (path === '') throw invalid('path cannot be empty');
  // A trailing slash or dot asks for what a link points to.
  const located = await locatePath(view, path, { followLast: /(^|\/)\.?$/.test(path) });
  if (!located.exists) throw missing(container, path);
  return located;
}

function missing(container: LiveContainer, path: string) {
  return notFound(`Could not find the file ${path} in container ${container.name}`);
}

async function describe(located: LocatedPath, container: LiveContainer, view: FileView): Promise<PathStat> {
  const facts = await lstat(located.hostPath, { bigint: true }).catch(() => undefined);
  if (facts === undefined) throw missing(container, located.containerPath);
  const linkTarget = facts.isSymbolicLink() ? await linkEnd(view, located) : '';
  return {
    name: basename(located.containerPath) || '/',
    size: Number(facts.size),
    mode: goFileMode(Number(facts.mode)),
    mtime: rfc3339(facts.mtimeNs),
    linkTarget,
  };
}

/** Where a link leads, as a path of the container. */
async function linkEnd(view: FileView, located: LocatedPath): Promise<string> {
  const target = await readlink(located.hostPath);
  const whole = posix.resolve(posix.dirname(located.containerPath), target);
  return (await locatePath(view, whole, { followLast: true })).containerPath;
}

/** RFC 3339 in UTC with nanoseconds, trailing zeros cut as Go does. */
function rfc3339(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}
