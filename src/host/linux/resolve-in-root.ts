import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, invalid } from '#base';

/** As many symlinks as the kernel follows in one path (path_resolution(7)). */
const maxLinks = 40;

/**
 * The host path of `path` inside the directory `root`, as a process with that root would reach it: absolute symlinks
 * start at `root`, and `..` never leads above it. The last component is followed only with `followLast` (default
 * true) or when a slash comes after it. Names that do not exist are kept as they are, so the result may not exist. Right at the moment it is made
 * only: whoever may change the tree meanwhile can still redirect it. Throws `invalid` after 40 symlinks.
 */
export async function resolveInRoot(
  root: string,
  path: string,
  options: { followLast?: boolean } = {},
): Promise<string> {
  const followLast = options.followLast ?? true;
  const pending = path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const isLast = pending.length === 0;
    const target = isLast && !followLast ? undefined : await linkTarget(join(root, ...done, part));
    if (target === undefined) {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > maxLinks) throw invalid(`${path}: too many levels of symbolic links`);
    if (target.startsWith('/')) done.length = 0;
    pending.push(...target.split('/').reverse());
  }
  return join(root, ...done);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
