import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { compilePathPattern, errnoOf } from '#base';

/** A path that begins at the root of its tree, whatever it climbs over: no `..`, no slash in front; empty for the root. */
const inTree = (path: string): string => posix.join('/', path).slice(1).replace(/\/$/, '');

const isWild = (name: string): boolean => /[*?[]/.test(name);

/** No system call takes a longer one (PATH_MAX). */
const longestPath = 4096;

const absent = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'EACCES']);

/** Follows the links that lie on paths of a tree. */
class LinkFollower {
  readonly #root: string;
  readonly found = new Set<string>();
  /** Paths that need not be looked at again; links in a circle lead back to one, or to ever longer ones. */
  readonly #seen = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Adds `path`, and where a component of it is a link, the link and what it points to. */
  async add(path: string): Promise<void> {
    const whole = inTree(path);
    if (this.#seen.has(whole) || whole.length > longestPath) return;
    this.#seen.add(whole);
    const parts = whole.split('/');
    for (let index = 0; index < parts.length; index += 1) {
      const current = parts.slice(0, index + 1).join('/');
      const rest = parts.slice(index + 1).join('/');
      const targets = await this.#targets(current);
      if (targets.length === 0 && rest !== '') continue;
      this.found.add(current);
      for (const target of targets) await this.add(`${target}/${rest}`);
      return;
    }
  }

  /** Where a link points, or those that a pattern in the last component matches; nothing for what is no link. */
  async #targets(path: string): Promise<string[]> {
    if (!isWild(posix.basename(path))) return this.#target(path);
    const directory = posix.dirname(path);
    const expression = compilePathPattern(posix.basename(path), { doubleStar: false });
    const targets: string[] = [];
    for (const name of await this.#names(directory)) {
      if (expression?.test(name)) targets.push(...(await this.#target(posix.join(directory, name))));
    }
    return targets;
  }

  async #target(path: string): Promise<string[]> {
    try {
      const full = join(this.#root, path);
      if (!(await lstat(full)).isSymbolicLink()) return [];
      const link = await readlink(full);
      return [link.startsWith('/') ? link : posix.join('/', posix.dirname(path), link)];
    } catch (error) {
      if (absent.has(errnoOf(error) ?? '')) return [];
      throw error;
    }
  }

  async #names(directory: string): Promise<string[]> {
    try {
      return await readdir(join(this.#root, directory));
    } catch (error) {
      if (absent.has(errnoOf(error) ?? '')) return [];
      throw error;
    }
  }
}

/**
 * The paths that have to be sent so that `paths` can be read at the other end: themselves, and where links lie on them,
 * the links and what they point to within the tree, as fsutil's `followpaths`. Undefined when that is all of it. Paths
 * may have wildcards and need not exist. A link out of the tree is taken as one that begins at its root.
 */
export async function followPaths(root: string, paths: readonly string[]): Promise<string[] | undefined> {
  const follower = new LinkFollower(root);
  for (const path of paths) await follower.add(path);
  return follower.found.has('') ? undefined : [...follower.found].sort();
}
