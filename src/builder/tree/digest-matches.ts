import { createHash } from 'node:crypto';
import { closeSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import type { Digest } from '#base';
import type { MatchView } from './match.ts';
import { walkMatches } from './walk-matches.ts';

const chunkBytes = 1 << 18;
const mostKnown = 20_000;

/** Digests of files by path, size, modification time and inode, so that a file is read once in a build. */
export class FileDigests {
  readonly #known = new Map<string, string>();
  readonly #buffer = Buffer.allocUnsafe(chunkBytes);

  digest(path: string, stats: Stats): string {
    const key = `${path}\0${stats.size}\0${stats.mtimeMs}\0${stats.ino}`;
    let digest = this.#known.get(key);
    if (digest === undefined) {
      digest = this.#read(path);
      if (this.#known.size >= mostKnown) this.#known.clear();
      this.#known.set(key, digest);
    }
    return digest;
  }

  #read(path: string): string {
    const hash = createHash('sha256');
    const file = openSync(path, 'r');
    try {
      for (let count = readSync(file, this.#buffer); count > 0; count = readSync(file, this.#buffer)) {
        hash.update(this.#buffer.subarray(0, count));
      }
    } finally {
      closeSync(file);
    }
    return hash.digest('hex');
  }
}

/**
 * The digest of all that a copy of these matches brings: names, kinds, modes, contents, link targets, owners where they
 * are kept. Modification times do not count.
 */
export function digestMatches(view: MatchView, files: FileDigests): Digest {
  const hash = createHash('sha256');
  for (const { source, name, stats } of walkMatches(view)) {
    const owner = view.keepOwner ? `${stats.uid}:${stats.gid}` : '';
    const content = stats.isFile()
      ? files.digest(source, stats)
      : stats.isSymbolicLink()
        ? readlinkSync(source)
        : stats.isDirectory()
          ? 'directory'
          : `${stats.rdev}`;
    hash.update(`${name}\0${stats.mode.toString(8)}\0${owner}\0${content}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}
