import { lstatSync, mkdirSync, rmdirSync, rmSync, type Stats, utimesSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { RuntimeMount } from '#oci';
import { resolveInRoot } from '../tree/root-path.ts';

/**
 * Makes the files and directories that mounts of a RUN need and that the image does not have, and takes them away
 * afterwards, so that they are not in the layer. The runtime would make them too, and leave them.
 */
export class MountPoints {
  readonly #root: string;
  readonly #made: { readonly path: string; readonly directory: boolean }[] = [];
  /** Directories in which something was made, as they were before. */
  readonly #touched = new Map<string, Stats>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes what is missing. Mounts below /dev, /proc and /sys are skipped: those are mounts themselves. */
  create(mounts: readonly RuntimeMount[]): void {
    for (const { destination, type, source } of mounts) {
      if (/^\/(dev|proc|sys)\/./.test(destination)) continue;
      const isFile = (type === 'bind' || type === undefined) && source !== undefined && !isDirectory(source);
      this.#make(destination, !isFile);
    }
  }

  /** Takes away what was made and is still empty; the tree is still mounted. */
  remove(): void {
    for (const { path, directory } of this.#made.reverse()) {
      try {
        if (directory) rmdirSync(path);
        else if (lstatSync(path).size === 0) rmSync(path);
      } catch {
        // Used by the command: then it belongs to the layer.
      }
    }
    for (const [path, stats] of this.#touched) {
      if (isDirectory(path)) utimesSync(path, stats.atime, stats.mtime);
    }
  }

  /**
   * Removes from `changes` (the unmounted layer) the directories that are there only because a mount point was made in
   * them: still empty, with owner and mode as before.
   */
  async forgetCopies(changes: string): Promise<void> {
    const deepestFirst = [...this.#touched].sort(([a], [b]) => b.length - a.length);
    for (const [path, before] of deepestFirst) {
      for (let inside = relative(this.#root, path); inside !== '' && inside !== '.'; inside = dirname(inside)) {
        const copy = join(changes, inside);
        const now = lstatSync(copy, { throwIfNoEntry: false });
        const original =
          this.#touched.get(join(this.#root, inside)) ?? (inside === relative(this.#root, path) ? before : undefined);
        if (!now?.isDirectory()) break;
        if (original && (now.mode !== original.mode || now.uid !== original.uid || now.gid !== original.gid)) break;
        try {
          await rmdir(copy);
        } catch {
          break; // not empty: the command changed something in it
        }
      }
    }
  }

  #make(destination: string, directory: boolean): void {
    const path = resolveInRoot(this.#root, destination);
    if (lstatSync(path, { throwIfNoEntry: false })) return;
    this.#makeParents(dirname(path));
    this.#remember(dirname(path));
    if (directory) mkdirSync(path);
    else writeFileSync(path, '', { flag: 'wx' });
    this.#made.push({ path, directory });
  }

  #makeParents(path: string): void {
    if (lstatSync(path, { throwIfNoEntry: false })) return;
    this.#makeParents(dirname(path));
    this.#remember(dirname(path));
    mkdirSync(path);
    this.#made.push({ path, directory: true });
  }

  #remember(path: string): void {
    if (!this.#touched.has(path)) this.#touched.set(path, lstatSync(path));
  }
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
