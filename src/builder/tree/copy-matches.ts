import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
} from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { invalid } from '#base';
import { type ModeChange, parseModeChange } from './file-mode.ts';
import type { MatchView } from './match.ts';
import { resolveInRoot } from './root-path.ts';
import { walkMatches } from './walk-matches.ts';

/** Where a copy goes, and what it changes on the way. */
export interface CopyTarget {
  /** Root of the file system on this machine. */
  readonly root: string;
  /** Absolute inside the root; a slash at the end means a directory. */
  readonly destination: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** As `--chmod` has it. */
  readonly chmod: string | undefined;
}

/** What Node has no call for; needed only for files that come from another file system of a build. */
export interface SpecialFiles {
  makeNode(path: string, mode: number, device: { major: number; minor: number }): void;
  listXattrs(path: string): string[];
  getXattr(path: string, name: string): Buffer | undefined;
  setXattr(path: string, name: string, value: Uint8Array): void;
}

/**
 * Copies the matches into the target: the contents of directories, files under their names or the destination's.
 * Modes, times and links are kept; nothing is ever written outside the target's root. Synchronous: for worker threads.
 * With `special` extended attributes (file capabilities) and device nodes are copied too; without it nodes are refused.
 * Throws `invalid` when a file is in the way of a directory or the other way round.
 */
export function copyMatches(view: MatchView, target: CopyTarget, special?: SpecialFiles): void {
  new TreeCopy(view, target, special).run();
}

class TreeCopy {
  readonly #view: MatchView;
  readonly #target: CopyTarget;
  readonly #special: SpecialFiles | undefined;
  readonly #mode: ModeChange | undefined;
  /** First copy of each file with several names, by device and inode. */
  readonly #linked = new Map<string, string>();
  /** Directories and their times, set last: writing into them changes them. */
  readonly #directories: { path: string; stats: Stats }[] = [];

  constructor(view: MatchView, target: CopyTarget, special: SpecialFiles | undefined) {
    this.#view = view;
    this.#special = special;
    this.#target = target;
    this.#mode = target.chmod === undefined ? undefined : parseModeChange(target.chmod);
  }

  run(): void {
    const { root, destination } = this.#target;
    const asDirectory = this.#intoDirectory();
    const place = resolveInRoot(root, destination);
    const fresh = lstatSync(place, { throwIfNoEntry: false }) === undefined;
    this.#makeParents(asDirectory ? relative(root, place) : relative(root, dirname(place)));
    for (const { source, name, stats } of walkMatches(this.#view)) {
      if (name === '') {
        // The source directory itself: its contents go into the destination, which keeps what it is when it exists.
        if (fresh) this.#finishDirectory(place, stats, source);
        continue;
      }
      const inside = asDirectory
        ? posix.join('/', relative(root, place), name)
        : posix.join('/', relative(root, place));
      this.#copyEntry(source, inside, stats);
    }
    for (const { path, stats } of this.#directories.reverse()) lutimesSync(path, stats.atime, stats.mtime);
  }

  #intoDirectory(): boolean {
    const { root, destination } = this.#target;
    const { matches, parents } = this.#view;
    if (destination.endsWith('/') || parents || matches.some((match) => match.directory)) return true;
    if (matches.length > 1) {
      throw invalid(
        'When using COPY with more than one source file, the destination must be a directory and end with a /',
      );
    }
    return lstatSync(resolveInRoot(root, destination), { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  #copyEntry(source: string, inside: string, stats: Stats): void {
    const { root } = this.#target;
    if (stats.isDirectory()) {
      this.#copyDirectory(source, inside, stats);
      return;
    }
    if (this.#view.parents || this.#view.exclude.length > 0) this.#makeParents(posix.dirname(inside).slice(1));
    const path = resolveInRoot(root, inside, { keepLast: true });
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw invalid(`cannot copy to ${inside}: a directory is in the way of a file`);
    if (there) rmSync(path);
    if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source), path);
    else if (stats.isFile()) this.#copyFile(source, path, stats);
    else if (stats.isSocket()) return;
    else this.#makeNode(path, stats);
    this.#finish(path, stats, source);
  }

  #copyFile(source: string, path: string, stats: Stats): void {
    const key = `${stats.dev}:${stats.ino}`;
    const first = stats.nlink > 1 ? this.#linked.get(key) : undefined;
    if (first !== undefined) {
      linkSync(first, path);
      return;
    }
    copyFileSync(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    if (stats.nlink > 1) this.#linked.set(key, path);
  }

  #copyDirectory(source: string, inside: string, stats: Stats): void {
    const path = resolveInRoot(this.#target.root, inside);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there && !there.isDirectory()) throw invalid(`cannot copy to ${inside}: a file is in the way of a directory`);
    if (!there) mkdirSync(path, { recursive: true });
    this.#finishDirectory(path, stats, source);
  }

  #finishDirectory(path: string, stats: Stats, source: string): void {
    this.#finish(path, stats, source);
    this.#directories.push({ path, stats });
  }

  /** Sets owner, mode and times. The owner comes first: changing it clears set-id bits. */
  #finish(path: string, stats: Stats, source: string): void {
    const { owner } = this.#target;
    if (owner) lchownSync(path, owner.uid, owner.gid);
    else if (this.#view.keepOwner) lchownSync(path, stats.uid, stats.gid);
    else lchownSync(path, 0, 0);
    if (!stats.isSymbolicLink()) chmodSync(path, this.#mode?.(stats.mode, stats.isDirectory()) ?? stats.mode & 0o7777);
    if (this.#special) copyAttributes(source, path, this.#special);
    lutimesSync(path, stats.atime, stats.mtime);
  }

  #makeNode(path: string, stats: Stats): void {
    if (this.#special === undefined) throw invalid(`${path}: a device node or pipe in the build context`);
    this.#special.makeNode(path, stats.mode, { major: major(stats.rdev), minor: minor(stats.rdev) });
  }

  /** Makes missing directories down to `inside`, owned as the copy is. */
  #makeParents(inside: string): void {
    const { root, owner } = this.#target;
    let path = root;
    for (const part of inside.split('/').filter((piece) => piece !== '' && piece !== '.')) {
      path = resolveInRoot(root, join(relative(root, path), part));
      const there = lstatSync(path, { throwIfNoEntry: false });
      if (there?.isDirectory()) continue;
      if (there) throw invalid(`cannot copy below /${relative(root, path)}: it is not a directory`);
      mkdirSync(path, { mode: 0o755 });
      if (owner) lchownSync(path, owner.uid, owner.gid);
    }
  }
}

/** Copies extended attributes, but those that overlayfs keeps its own books in. */
function copyAttributes(source: string, path: string, special: SpecialFiles): void {
  for (const name of special.listXattrs(source)) {
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
    const value = special.getXattr(source, name);
    if (value !== undefined) special.setXattr(path, name, value);
  }
}

/** Device numbers as Linux packs them into st_rdev (sys/sysmacros.h). */
function major(device: number): number {
  const value = BigInt(device);
  return Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n));
}

function minor(device: number): number {
  const value = BigInt(device);
  return Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n));
}
