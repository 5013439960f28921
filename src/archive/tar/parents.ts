import { lstatSync, mkdirSync, readlinkSync } from 'node:fs';
import { errnoOf, invalid } from '#base';
import { toHostPath, toText } from './byte-name.ts';
import type { EntryPath } from './entry-path.ts';

const maxLinks = 40;

/** What to do with a name that stands where a directory is needed and is neither directory nor symlink. */
export type ReplaceBlocker = (path: string) => boolean;

/**
 * Finds, and where missing makes, the directories that entries go into. Works with the tree as this thread's root
 * (`ThreadRoot`), so absolute symlinks lead to the right place by themselves, and the kernel is the second guard.
 */
export class Parents {
  readonly #base: string;
  readonly #isStrict: boolean;
  readonly #replaceBlocker: ReplaceBlocker;
  readonly #known = new Map<EntryPath, string>();

  /**
   * `base` is the directory that entry paths start from, `/` or an absolute path. `strict` refuses symlinks that climb
   * above the root, which the kernel would clamp; `replaceBlocker` may make room and then answers true.
   */
  constructor(base: string, options: { strict: boolean; replaceBlocker?: ReplaceBlocker }) {
    this.#base = base === '/' ? '' : base;
    this.#isStrict = options.strict;
    this.#replaceBlocker = options.replaceBlocker ?? (() => false);
  }

  /** Forgets what it knows; needed after a name that may be somebody's parent was removed. */
  forget(): void {
    this.#known.clear();
  }

  /** The path, free of symlinks, that `directory` has; made with mode 0755 where missing. Throws `invalid`. */
  pathOf(directory: EntryPath, entryName: EntryPath): string {
    const known = this.#known.get(directory);
    if (known !== undefined) return known;
    const slash = directory.lastIndexOf('/');
    let path = this.#base;
    if (directory !== '') {
      const above = this.pathOf(slash < 0 ? '' : directory.slice(0, slash), entryName);
      path = this.#walk(above, directory.slice(slash + 1), entryName);
    } else if (this.#base !== '') {
      path = this.#walk('', this.#base, entryName);
    }
    this.#known.set(directory, path);
    return path;
  }

  /** Goes from the real directory `from` along `way`, following symlinks, to a real directory. */
  #walk(from: string, way: string, entryName: EntryPath): string {
    const refuse = (why: string) => invalid(`bad archive: entry "${toText(entryName)}" ${why}`);
    const pending = way.split('/').reverse();
    let current = from;
    let links = 0;
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (current === '' && this.#isStrict) throw refuse('leads out of its directory by a symlink');
        current = current.slice(0, Math.max(0, current.lastIndexOf('/')));
        continue;
      }
      const path = `${current}/${part}`;
      const target = this.#look(path, links > 0, refuse);
      if (target === undefined) {
        current = path;
        continue;
      }
      links += 1;
      if (links > maxLinks) throw refuse('has too many symlinks above it');
      if (target.startsWith('/')) current = '';
      pending.push(...target.split('/').reverse());
    }
    return current;
  }

  /** Target of the symlink at `path`; undefined when it is a directory, if need be after making it. */
  #look(path: string, isBehindLink: boolean, refuse: (why: string) => Error): string | undefined {
    const hostPath = toHostPath(path);
    const stat = lstatSync(hostPath, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return undefined;
    if (stat?.isSymbolicLink()) return readlinkSync(hostPath, { encoding: 'latin1' });
    if (stat !== undefined && (isBehindLink || !this.#replaceBlocker(path))) {
      throw refuse(`has the parent "${toText(path)}" that is not a directory`);
    }
    try {
      mkdirSync(hostPath, { mode: 0o755 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    return undefined;
  }
}
