import type { Stats } from 'node:fs';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, pipeline as pipe, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import type { IgnoreMatcher } from '#base';

/** What of a directory goes into a tar. */
export interface ContextOptions {
  readonly directory: string;
  readonly ignore: IgnoreMatcher;
  /** Paths that go in whatever the rules say, such as the Dockerfile. */
  readonly always: ReadonlySet<string>;
  /** Files put in beside those of the directory. */
  readonly extra?: readonly { readonly name: string; readonly text: string | Buffer }[];
}

function headerOf(name: string, stats: Stats): { name: string; mode: number; mtime: Date; uid: number; gid: number } {
  return { name, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 };
}

async function addFile(tar: Pack, path: string, header: ReturnType<typeof headerOf>, size: number): Promise<void> {
  if (size === 0) {
    tar.entry({ ...header, size: 0 }, '');
    return;
  }
  const entry = tar.entry({ ...header, size });
  // The file may grow while it is read; the header has promised its size.
  await pipeline(createReadStream(path, { end: size - 1, highWaterMark: 1 << 17 }), entry);
}

async function addAll(tar: Pack, options: ContextOptions, folder: string): Promise<void> {
  const names = (await readdir(join(options.directory, folder))).sort();
  for (const name of names) {
    const relative = folder === '' ? name : `${folder}/${name}`;
    const ignored = options.ignore.ignores(relative) && !options.always.has(relative);
    const path = join(options.directory, relative);
    const stats = await lstat(path);
    if (stats.isDirectory()) {
      if (!ignored) tar.entry({ ...headerOf(`${relative}/`, stats), type: 'directory' });
      const needed = [...options.always].some((wanted) => wanted.startsWith(`${relative}/`));
      if (!ignored || options.ignore.hasKeeps || needed) await addAll(tar, options, relative);
    } else if (ignored) continue;
    else if (stats.isSymbolicLink()) {
      tar.entry({ ...headerOf(relative, stats), type: 'symlink', linkname: await readlink(path) });
    } else if (stats.isFile()) await addFile(tar, path, headerOf(relative, stats), stats.size);
    else if (stats.isFIFO()) tar.entry({ ...headerOf(relative, stats), type: 'fifo' });
  }
}

/** A directory as a tar stream, made while it is read. Owners become root, as the builder would see them anyway. */
export function contextTar(options: ContextOptions): Readable {
  const tar = pack();
  void (async () => {
    for (const { name, text } of options.extra ?? []) tar.entry({ name, mode: 0o600 }, text);
    await addAll(tar, options, '');
    tar.finalize();
  })().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return packReadable(tar);
}

/** A tar being made, as a stream of Node's own kind. */
export function packReadable(tar: Pack): Readable {
  const out = new PassThrough({ highWaterMark: 1 << 18 });
  // tar-stream's streams are not Node's by type, but pipeline takes them.
  pipe(tar as unknown as Readable, out, () => undefined);
  return out;
}
