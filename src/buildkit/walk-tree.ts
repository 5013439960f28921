import { isUtf8 } from 'node:buffer';
import type { Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, invalid } from '#base';
import { goModeOf } from './file-mode.ts';
import type { FileStat } from './session-methods.ts';
import type { TreeFilter } from './tree-filter.ts';

/** One entry of a tree that is sent. */
export interface TreeEntry {
  readonly stat: FileStat;
  /** True for a file whose contents can be asked for; later names of a hard link have none of their own. */
  readonly hasContents: boolean;
  /** Which file it is on this machine, to notice that it became another. */
  readonly device: number;
  readonly inode: number;
}

const major = (device: number): number => Math.floor(device / 256) & 0xfff;
const minor = (device: number): number => (device & 0xff) + (Math.floor(device / 4096) & 0xfff00);

/** Undefined for what was removed between being listed and being looked at. */
async function ifThere<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function textName(name: Buffer, directory: string): string {
  if (!isUtf8(name)) {
    throw invalid(`file name ${JSON.stringify(name.toString('latin1'))} in ${directory} is not UTF-8: rename the file`);
  }
  return name.toString();
}

/** Reads a tree in the order of file sync. */
class TreeWalk {
  readonly #root: string;
  readonly #filter: TreeFilter;
  /** First path of each file that has several. */
  readonly #links = new Map<string, string>();
  /** Directories entered that were not sent themselves; they are, once something below them is. */
  #pending: TreeEntry[] = [];

  constructor(root: string, filter: TreeFilter) {
    this.#root = root;
    this.#filter = filter;
  }

  async *entries(folder: string): AsyncGenerator<TreeEntry> {
    const directory = join(this.#root, folder);
    const listed = await (folder === '' ? names(directory) : ifThere(names(directory)));
    for (const raw of listed ?? []) {
      const name = textName(raw, directory);
      const path = folder === '' ? name : `${folder}/${name}`;
      const sends = this.#filter.sends(path);
      const stats = await ifThere(lstat(join(this.#root, path)));
      if (stats === undefined || stats.isSocket()) continue;
      const enters = stats.isDirectory() && this.#filter.entersDirectory(path);
      if (!sends && !enters) continue;
      const entry = await this.#entry(path, stats, sends);
      if (entry === undefined) continue;
      this.#pending.push(entry);
      if (sends) {
        yield* this.#pending;
        this.#pending = [];
      }
      if (enters) yield* this.entries(path);
      if (this.#pending.at(-1) === entry) this.#pending.pop();
    }
  }

  async #entry(path: string, stats: Stats, sends: boolean): Promise<TreeEntry | undefined> {
    let linkname = '';
    if (stats.isSymbolicLink()) {
      const target = await ifThere(readlink(join(this.#root, path)));
      if (target === undefined) return undefined;
      linkname = target;
    } else if (sends && stats.isFile() && stats.nlink > 1) {
      const identity = `${stats.dev}:${stats.ino}`;
      linkname = this.#links.get(identity) ?? '';
      if (linkname === '') this.#links.set(identity, path);
    }
    const isDevice = stats.isBlockDevice() || stats.isCharacterDevice();
    return {
      stat: {
        path,
        mode: goModeOf(stats.mode),
        uid: 0,
        gid: 0,
        size: stats.isDirectory() ? 0 : stats.size,
        modTime: Math.round(stats.mtimeMs * 1e6),
        linkname,
        devmajor: isDevice ? major(stats.rdev) : 0,
        devminor: isDevice ? minor(stats.rdev) : 0,
        xattrs: {},
      },
      hasContents: stats.isFile() && linkname === '',
      device: stats.dev,
      inode: stats.ino,
    };
  }
}

/** Names in the order of their bytes. */
async function names(directory: string): Promise<Buffer[]> {
  return (await readdir(directory, { encoding: 'buffer' })).sort(Buffer.compare);
}

/**
 * The entries of a directory that `filter` lets through, component by component in the order of their bytes, directories
 * before what is in them (also those that are sent only for something below). Owners become root, as docker's client sends
 * a context; sockets are left out; files that vanish meanwhile, too. Links are not followed. Throws what the file system
 * refuses, `invalid` for a name that is not UTF-8.
 */
export function walkTree(root: string, filter: TreeFilter): AsyncGenerator<TreeEntry> {
  return new TreeWalk(root, filter).entries('');
}
