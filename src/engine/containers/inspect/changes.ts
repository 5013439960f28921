import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One difference to the image. Kinds as Docker's: 0 changed, 1 added, 2 deleted. */
export interface Change {
  readonly path: string;
  readonly kind: 0 | 1 | 2;
}

/** Mount points that the engine and the runtime make in every root: no work of the container's. */
const ours = new Set(
  '/.dockerenv /dev /dev/console /dev/pts /dev/shm /etc/hosts /etc/hostname /etc/mtab /etc/resolv.conf /proc /sys'.split(
    ' ',
  ),
);

/**
 * Compares an overlay upper directory with the tree below it (kernel doc overlayfs: a deleted name is a character
 * device 0/0). `lower` is the mounted image, undefined for none. `mountPoints` are not reported. Sorted by path.
 */
export async function findChanges(
  upper: string,
  options: { lower: string | undefined; mountPoints: ReadonlySet<string> },
): Promise<Change[]> {
  const changes: Change[] = [];
  const walk = async (path: string): Promise<number> => {
    let found = 0;
    for (const entry of await readdir(join(upper, path))) {
      const name = `${path}/${entry}`;
      const stat = await lstat(join(upper, name));
      const kind = await kindOf(stat, options.lower, name);
      const isOurs = (ours.has(name) || options.mountPoints.has(name)) && kind !== 2;
      const at = changes.length;
      const inside = stat.isDirectory() ? await walk(name) : 0;
      // A directory that is only there to hold a mount point of ours did not change.
      if (isOurs && inside === 0) continue;
      if (kind === 0 && stat.isDirectory() && inside === 0 && (await holdsOnlyOurs(upper, name, options.mountPoints)))
        continue;
      changes.splice(at, 0, { path: name, kind });
      found += inside + 1;
    }
    return found;
  };
  await walk('');
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function kindOf(stat: Stats, lower: string | undefined, name: string): Promise<Change['kind']> {
  if (stat.isCharacterDevice() && stat.rdev === 0) return 2;
  const below = lower === undefined ? undefined : await lstat(join(lower, name)).catch(() => undefined);
  return below === undefined ? 1 : 0;
}

async function holdsOnlyOurs(upper: string, name: string, mountPoints: ReadonlySet<string>): Promise<boolean> {
  const entries = await readdir(join(upper, name));
  return (
    entries.length > 0 && entries.every((entry) => ours.has(`${name}/${entry}`) || mountPoints.has(`${name}/${entry}`))
  );
}

/** Paths in a container's upper directory that only mounting made; commit leaves them out where they are empty. */
export function placeholders(mountPoints: readonly string[]): string[] {
  return [...ours, ...mountPoints];
}
