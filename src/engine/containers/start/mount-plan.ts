import { mkdir, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { invalid, type UndoStack } from '#base';
import type { ImageReader } from '#image';
import type { RuntimeMount } from '#oci';
import type { VolumeService } from '#volume';
import type { EventJournal } from '../../events/events.ts';
import type { MountSettings } from '../container.ts';
import type { LiveContainer, PlannedMount } from '../live-container.ts';
import { locatePath } from '../rootfs/container-path.ts';
import type { RootfsMounts } from '../rootfs/rootfs-mounts.ts';
import { resolveUser } from './container-user.ts';
import type { HostSources } from './host-sources.ts';
import { mapOwner } from './map-owner.ts';

/** What mounting needs. */
export interface MountDependencies {
  readonly volumes: Pick<VolumeService, 'mount' | 'unmount' | 'copyUp'>;
  readonly images: Pick<ImageReader, 'get' | 'unpack'>;
  readonly rootfs: RootfsMounts;
  readonly hostSources: HostSources;
  readonly events: EventJournal;
}

/**
 * Brings the sources of a container's mounts into place (volumes mounted, filled from the image on the first start)
 * and returns the mounts for the runtime, parents first. Undone by `undo`, later by {@link releaseMounts}.
 */
export async function prepareMounts(
  deps: MountDependencies,
  container: LiveContainer,
  options: { rootfs: string; undo: UndoStack },
): Promise<RuntimeMount[]> {
  const mounts: RuntimeMount[] = [];
  for (const mount of container.settings.mounts) mounts.push(await prepare(deps, container, { mount, ...options }));
  for (const [destination, text] of Object.entries(container.settings.host.tmpfs)) {
    mounts.push({
      type: 'tmpfs',
      source: 'tmpfs',
      destination,
      options: tmpfsOptions(text.split(',').filter(Boolean)),
    });
  }
  return mounts;
}

/** Gives volumes and image mounts back after an exit, and says so. Goes on past errors; throws the first. */
export async function releaseMounts(deps: MountDependencies, container: LiveContainer): Promise<void> {
  const results = await Promise.allSettled(
    container.settings.mounts.map(async ({ point, asked }) => {
      if (point.type === 'volume' && point.name) await deps.volumes.unmount(point.name, container.id);
      if (point.type === 'image') await releaseImage(deps, asked);
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function prepare(
  deps: MountDependencies,
  container: LiveContainer,
  { mount, rootfs, undo }: { mount: PlannedMount; rootfs: string; undo: UndoStack },
): Promise<RuntimeMount> {
  const { asked, point } = mount;
  const { destination } = point;
  if (point.type === 'tmpfs') {
    return { type: 'tmpfs', source: 'tmpfs', destination, options: tmpfsOptions(askedTmpfs(asked)) };
  }
  let source = point.source;
  if (point.type === 'volume') {
    const name = point.name ?? '';
    source = await deps.volumes.mount(name, container.id);
    undo.push(() => deps.volumes.unmount(name, container.id));
    if (container.state.startedAt === undefined && !asked.noCopy) await copyUp(deps, { name, rootfs, destination });
    source = await subdirectory(source, asked.subpath);
    deps.events.publish('volume', 'mount', name, {
      container: container.id,
      destination,
      driver: point.driver ?? 'local',
      propagation: point.propagation,
      'read/write': String(point.rw),
    });
  } else if (point.type === 'image') {
    source = await subdirectory(await mountImage(deps, { asked, undo }), asked.subpath);
  } else if ((await stat(source).catch(() => undefined)) === undefined) {
    if (asked.createSource) await mkdir(source, { recursive: true });
    else throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  }
  // The owner is that of the source itself, not of a copy of its mount.
  const mapping = asked.idMapping === undefined ? {} : await ownerMapping(container, { source, asked, rootfs });
  if (point.type === 'bind') {
    undo.push(() => deps.hostSources.release(container.id));
    const { propagation } = point;
    source = await deps.hostSources.acquire(container.id, source, { propagation, recursive: !asked.nonRecursive });
  }
  const directory = (await stat(source)).isDirectory();
  return { type: 'bind', source, destination, options: bindOptions(mount, directory), ...mapping };
}

async function ownerMapping(
  { settings }: LiveContainer,
  { source, asked, rootfs }: { source: string; asked: MountSettings; rootfs: string },
) {
  const user = asked.idMapping?.user ?? settings.process.user;
  const [owner, account] = await Promise.all([stat(source), resolveUser({ rootfs, mounts: [] }, user, [])]);
  return mapOwner(owner, account);
}

async function copyUp(
  deps: MountDependencies,
  at: { name: string; rootfs: string; destination: string },
): Promise<void> {
  const image = await locatePath({ rootfs: at.rootfs, mounts: [] }, at.destination, { followLast: true });
  if (!image.exists || !(await stat(image.hostPath)).isDirectory()) return;
  await deps.volumes.copyUp(at.name, image.hostPath);
}

async function subdirectory(source: string, subpath: string | undefined): Promise<string> {
  if (!subpath) return source;
  if (subpath.startsWith('/') || subpath.split('/').includes('..')) {
    throw invalid(
      `invalid mount config for type "volume": subpath must be a relative path within the volume: ${subpath}`,
    );
  }
  const inside = await locatePath({ rootfs: source, mounts: [] }, subpath, { followLast: true });
  if (!inside.exists) throw invalid(`cannot access path ${inside.hostPath}: no such file or directory`);
  return inside.hostPath;
}

async function mountImage(deps: MountDependencies, { asked, undo }: { asked: MountSettings; undo: UndoStack }) {
  const key = await deps.images.unpack(await deps.images.get(asked.source));
  if (key === undefined) throw invalid(`invalid mount config for type "image": ${asked.source} has no layers`);
  const path = await deps.rootfs.acquire(key, { readonly: true });
  undo.push(() => deps.rootfs.release(key));
  return path;
}

async function releaseImage(deps: MountDependencies, asked: MountSettings): Promise<void> {
  const key = await deps.images.unpack(await deps.images.get(asked.source));
  if (key !== undefined) await deps.rootfs.release(key);
}

function bindOptions({ asked, point }: PlannedMount, directory: boolean): string[] {
  const recursive = asked.nonRecursive ? 'bind' : 'rbind';
  const writable = point.rw && point.type !== 'image';
  return [recursive, writable ? 'rw' : readonlyOption(asked, directory), point.propagation || 'rprivate'];
}

/**
 * Read-only with all mounts below, as Docker has it since 25, where the kernel can (mount_setattr(2), Linux 5.12). Nothing
 * is mounted below what is no directory, and crun opens the target of `rro` as one.
 */
function readonlyOption(asked: MountSettings, directory: boolean): 'ro' | 'rro' {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const can = major > 5 || (major === 5 && minor >= 12);
  if (asked.readonlyForceRecursive && !can) {
    throw invalid(`bind-recursive=readonly for ${asked.target} needs Linux 5.12 or later, this is ${release()}`);
  }
  return can && directory && !asked.readonlyNonRecursive && !asked.nonRecursive ? 'rro' : 'ro';
}

function askedTmpfs({ tmpfs, readonly }: MountSettings): string[] {
  return [
    ...(readonly ? ['ro'] : []),
    ...(tmpfs?.sizeBytes ? [`size=${tmpfs.sizeBytes}`] : []),
    ...(tmpfs?.mode ? [`mode=${tmpfs.mode.toString(8)}`] : []),
    ...(tmpfs?.options ?? []).map((pair) => pair.join('=')),
  ];
}

const opposites: Readonly<Record<string, string>> = { exec: 'noexec', suid: 'nosuid', dev: 'nodev' };

/** Docker's defaults unless the opposite is asked. */
function tmpfsOptions(asked: readonly string[]): string[] {
  const wanted = asked.filter((option) => !(option in opposites));
  const kept = Object.entries(opposites).flatMap(([off, on]) => (asked.includes(off) ? [off] : [on]));
  return [...new Set([...kept, ...wanted])];
}
