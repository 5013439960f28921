import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lchown, lstat, mkdir, readdir, readlink, rm, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, type Pack, pack } from 'tar-stream';
import { errnoOf, invalid } from '#base';
import { packReadable } from '../build/context-tar.ts';

async function addPath(tar: Pack, path: string, name: string, count: (bytes: number) => void): Promise<void> {
  const stats = await lstat(path);
  const header = { name, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: stats.uid, gid: stats.gid };
  if (stats.isDirectory()) {
    if (name !== '') tar.entry({ ...header, name: `${name}/`, type: 'directory' });
    for (const child of (await readdir(path)).sort()) {
      await addPath(tar, join(path, child), name === '' ? child : `${name}/${child}`, count);
    }
  } else if (stats.isSymbolicLink()) tar.entry({ ...header, type: 'symlink', linkname: await readlink(path) });
  else if (stats.isFile()) {
    count(stats.size);
    if (stats.size === 0) tar.entry({ ...header, size: 0 }, '');
    else
      await pipeline(
        createReadStream(path, { end: stats.size - 1, highWaterMark: 1 << 17 }),
        tar.entry({ ...header, size: stats.size }),
      );
  }
}

/** A file or directory as a tar whose top entry is called `name`; an empty name packs what is in the directory. */
export function packPath(path: string, name: string): { tar: Readable; bytes: () => number } {
  const tar = pack();
  let bytes = 0;
  const count = (size: number): void => {
    bytes += size;
  };
  void addPath(tar, path, name, count).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return { tar: packReadable(tar), bytes: () => bytes };
}

/** Where to unpack to, and what the top of the tar (`root`) shall be called there; empty: its content goes to `folder`. */
export interface UnpackOptions {
  readonly tar: Readable;
  readonly folder: string;
  readonly root: string;
  readonly name: string;
  readonly keepOwners: boolean;
}

/** The path of an entry below the top, as parts. Throws `invalid` for one that climbs out. */
function partsOf(name: string, options: UnpackOptions): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw invalid(`the archive holds a path that leaves its directory: ${JSON.stringify(name)}`);
  const below = parts[0] === options.root || options.root === '/' ? parts.slice(options.root === '/' ? 0 : 1) : parts;
  return options.name === '' ? below : [options.name, ...below];
}

/** Makes sure that no part of the way to an entry is a link: following one would leave the target. */
async function checkWay(folder: string, parts: readonly string[]): Promise<void> {
  let path = folder;
  for (const part of parts.slice(0, -1)) {
    path = join(path, part);
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined) return;
    if (!stats.isDirectory()) throw invalid(`cannot unpack below ${path}: it is not a directory`);
  }
}

async function place(header: Header, data: Readable, path: string, options: UnpackOptions): Promise<number> {
  const mode = (header.mode ?? 0o644) & 0o7777;
  if (header.type === 'directory') {
    await mkdir(path, { recursive: true });
  } else {
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true }).catch((error: unknown) => {
      throw errnoOf(error) === 'ERR_FS_EISDIR' ? invalid(`cannot overwrite directory ${path} with a file`) : error;
    });
    if (header.type === 'symlink') await symlink(header.linkname ?? '', path);
    else if (header.type === 'file' || header.type === 'contiguous-file')
      await pipeline(data, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
    else throw invalid(`cannot copy ${basename(path)}: entries of kind ${header.type} are not supported here`);
  }
  if (options.keepOwners) await lchown(path, header.uid ?? 0, header.gid ?? 0);
  if (header.type !== 'symlink') {
    await chmod(path, mode);
    if (header.type !== 'directory' && header.mtime) await utimes(path, header.mtime, header.mtime);
  }
  return header.type === 'file' ? (header.size ?? 0) : 0;
}

/** Unpacks a tar; nothing is written outside `folder`, whatever the tar says. Returns the bytes of the files. */
export async function unpackTo(options: UnpackOptions): Promise<number> {
  const reader = extract();
  const read = pipeline(options.tar, reader as unknown as NodeJS.WritableStream);
  read.catch(() => undefined);
  let bytes = 0;
  for await (const entry of reader) {
    const parts = partsOf(entry.header.name, options);
    const data = entry as unknown as Readable;
    if (parts.length > 0) {
      await checkWay(options.folder, parts);
      if (entry.header.type === 'link') {
        throw invalid(`cannot copy ${entry.header.name}: hard links between copied files are not supported`);
      }
      bytes += await place(entry.header, data, join(options.folder, ...parts), options);
    }
    entry.resume();
  }
  await read;
  return bytes;
}
