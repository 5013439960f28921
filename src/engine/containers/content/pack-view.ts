import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { joinTars, type TreeArchiver } from '#archive';
import type { FileView, LocatedPath } from '../rootfs/container-path.ts';
import { locatePath } from '../rootfs/container-path.ts';

/**
 * A tar of what a process in the container sees at `located`: volumes and binds below it stand in the place of what
 * they cover. `rename` is the name of the first entry.
 */
export async function packView(
  trees: Pick<TreeArchiver, 'pack'>,
  view: FileView,
  options: { located: LocatedPath; rename: string; signal: AbortSignal },
): Promise<Readable> {
  const { located, rename, signal } = options;
  const below = mountsBelow(view, located.containerPath);
  const first = () => packOne(trees, located, { rename, signal, covered: below });
  if (below.length === 0) return await first();
  // The first one is opened now, so that what cannot be read is an error and not a broken archive.
  const opened = await first();
  const mounted = below.map((destination) => async () => {
    const place = await locatePath(view, destination, { followLast: false });
    const name = posix.join(rename, posix.relative(located.containerPath, destination));
    return await packOne(trees, place, { rename: name, signal, covered: mountsBelow(view, destination) });
  });
  const there = await Promise.all(below.map((destination) => isThere(view, destination)));
  return joinTars([async () => opened, ...mounted.filter((_, index) => there[index])]);
}

async function packOne(
  trees: Pick<TreeArchiver, 'pack'>,
  place: LocatedPath,
  { rename, signal, covered }: { rename: string; signal: AbortSignal; covered: readonly string[] },
): Promise<Readable> {
  const left = new Set(covered.map((destination) => posix.relative(place.containerPath, destination)));
  const filter = left.size === 0 ? {} : { filter: (path: string) => !left.has(path) };
  return await trees.pack(place.root, place.inner, { rename, signal, ...filter });
}

function mountsBelow(view: FileView, path: string): string[] {
  const prefix = path === '/' ? '/' : `${path}/`;
  return view.mounts
    .map((mount) => mount.destination)
    .filter((destination) => destination.startsWith(prefix) && destination !== path)
    .sort();
}

async function isThere(view: FileView, destination: string): Promise<boolean> {
  const { hostPath } = await locatePath(view, destination, { followLast: false });
  return (await stat(hostPath).catch(() => undefined)) !== undefined;
}
