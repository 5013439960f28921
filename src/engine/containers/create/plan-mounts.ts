import { posix } from 'node:path';
import { invalid } from '#base';
import type { ContainerRequest, MountPoint, MountSettings } from '../container.ts';
import type { PlannedMount } from '../live-container.ts';

/** What a container's mounts are made from. */
export interface MountSources {
  readonly request: Pick<ContainerRequest, 'volumes' | 'host'>;
  /** Paths that only the image declares as volumes. */
  readonly imageVolumes: readonly string[];
  /** Mounts of the containers named by `volumesFrom`, in order. */
  readonly inherited: readonly PlannedMount[];
}

/**
 * All mounts of a container: asked ones, inherited ones, and anonymous volumes for the paths that the request or the
 * image declares and nothing else covers. Throws `invalid` for bad or double targets.
 */
export function planMounts({ request, imageVolumes, inherited }: MountSources): PlannedMount[] {
  const { host } = request;
  const planned = new Map<string, PlannedMount>();
  for (const mount of inherited) planned.set(mount.point.destination, mount);
  const own = new Set<string>();
  for (const asked of host.mounts) {
    const mount = plan(asked, host.volumeDriver);
    if (own.has(mount.point.destination)) throw invalid(`Duplicate mount point: ${mount.point.destination}`);
    own.add(mount.point.destination);
    planned.set(mount.point.destination, mount);
  }
  const tmpfs = new Set(Object.keys(host.tmpfs).map((path) => posix.normalize(path)));
  for (const path of [...request.volumes, ...imageVolumes]) {
    const target = cleanTarget('volume', path);
    if (planned.has(target) || tmpfs.has(target)) continue;
    const anonymous = { source: '', target, readonly: false, createSource: false };
    const fromImage = imageVolumes.includes(path);
    planned.set(target, plan({ type: 'volume', ...anonymous, fromImage }, host.volumeDriver));
  }
  // Parents first, so that a mount never hides an earlier one inside it.
  return [...planned.values()].sort((a, b) => depth(a.point.destination) - depth(b.point.destination));
}

function plan(asked: MountSettings, defaultDriver: string): PlannedMount {
  const destination = cleanTarget(asked.type, asked.target);
  const mode = asked.mode ?? (asked.type === 'volume' && !asked.fromImage && asked.source !== '' ? 'z' : '');
  const common = { type: asked.type, destination, rw: !asked.readonly, mode } as const;
  if (asked.type === 'volume') {
    const driver = asked.driver?.name || defaultDriver || 'local';
    // Source, and the name of an anonymous one, are known once the volume exists: create fills them in.
    return { asked, point: { ...common, name: asked.source, driver, source: '', propagation: '' } };
  }
  return { asked, point: { ...common, source: planSource(asked), propagation: planPropagation(asked) } };
}

function planSource(asked: MountSettings): string {
  if (asked.type === 'tmpfs') {
    if (asked.source !== '') throw invalid('invalid mount config for type "tmpfs": field Source must not be specified');
    return '';
  }
  if (asked.source === '')
    throw invalid(`invalid mount config for type "${asked.type}": field Source must not be empty`);
  if (asked.type === 'image') return asked.source;
  if (asked.type !== 'bind') throw invalid(`mount type ${asked.type} is not supported on this host`);
  if (!asked.source.startsWith('/')) {
    throw invalid(
      `invalid mount config for type "bind": invalid mount path: '${asked.source}' mount path must be absolute`,
    );
  }
  return posix.normalize(asked.source);
}

function planPropagation(asked: MountSettings): MountPoint['propagation'] {
  const propagation = asked.propagation ?? '';
  if (!['', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'].includes(propagation)) {
    throw invalid(`invalid mount config for type "bind": invalid propagation mode: ${propagation}`);
  }
  return asked.type === 'bind' ? propagation || 'rprivate' : '';
}

function cleanTarget(type: string, target: string): string {
  const where = `invalid mount config for type "${type}"`;
  if (target === '') throw invalid(`${where}: field Target must not be empty`);
  if (!target.startsWith('/')) throw invalid(`${where}: invalid mount path: '${target}' mount path must be absolute`);
  const clean = posix.normalize(target).replace(/(?<=.)\/$/, '');
  if (clean === '/') throw invalid(`${where}: invalid specification: destination can't be '/'`);
  return clean;
}

function depth(path: string): number {
  return path.split('/').length;
}
