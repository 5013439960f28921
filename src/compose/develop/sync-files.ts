import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, readlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Header, type Pack, pack } from 'tar-stream';
import { errnoOf } from '#base';
import type { Client } from '#client';
import { runHook } from '../execute/index.ts';
import type { PathMapping } from './watch-rule.ts';

/** A file to copy, and what it was when it was looked at. */
export interface Copy extends PathMapping {
  readonly stats: Stats;
}

/** The result, or undefined where the file has gone meanwhile: its removal is told as the next change. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    return undefined;
  });
}

/** The first `size` bytes, with zeros in place of what a file that was cut meanwhile lacks: an entry has the size it promises. */
async function* sized(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  let left = size;
  if (size > 0) {
    for await (const chunk of handle.createReadStream({ end: size - 1, autoClose: false })) {
      left -= (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  for (; left > 0; left -= Math.min(left, 65_536)) yield Buffer.alloc(Math.min(left, 65_536));
}

async function addFile(
  tar: Pack,
  hostPath: string,
  header: Partial<Header> & { readonly name: string },
): Promise<void> {
  const handle = await unlessGone(open(hostPath));
  if (handle === undefined) return;
  try {
    const { size } = await handle.stat();
    await pipeline(sized(handle, size), tar.entry({ ...header, size }));
  } finally {
    await handle.close();
  }
}

async function addEntry(tar: Pack, { hostPath, containerPath, stats }: Copy): Promise<void> {
  const name = containerPath.slice(1);
  const header = { name, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 };
  if (stats.isDirectory()) tar.entry({ ...header, name: `${name}/`, type: 'directory' });
  else if (stats.isSymbolicLink()) {
    const linkname = await unlessGone(readlink(hostPath));
    if (linkname !== undefined) tar.entry({ ...header, type: 'symlink', linkname });
  } else if (stats.isFile()) await addFile(tar, hostPath, header);
}

/** The files as a tar, read while it is sent; those that have gone since they were looked at are left out. */
export function tarOf(copies: readonly Copy[]): Readable {
  const tar = pack();
  void (async () => {
    for (const copy of copies) await addEntry(tar, copy);
    tar.finalize();
  })().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar);
}

/** Paths without those below another of them. */
function topmost(paths: readonly string[]): string[] {
  const all = new Set(paths);
  const isCovered = (path: string): boolean => {
    for (let above = dirname(path); above !== '/'; above = dirname(above)) if (all.has(above)) return true;
    return false;
  };
  return [...all].filter((path) => !isCovered(path));
}

/**
 * Makes files in containers the same as on this machine: what is there is copied (owned by root), what is gone is
 * removed by the container's own `rm`. Throws the first container's failure; the others are served none the less.
 */
export async function syncFiles(
  client: Client,
  containers: readonly { readonly id: string; readonly name: string }[],
  mappings: readonly PathMapping[],
): Promise<void> {
  const copies: Copy[] = [];
  const gone: string[] = [];
  for (const mapping of mappings) {
    const stats = await lstat(mapping.hostPath).catch(() => undefined);
    if (stats === undefined) gone.push(mapping.containerPath);
    else copies.push({ ...mapping, stats });
  }
  const results = await Promise.allSettled(
    containers.map(async (container) => {
      if (gone.length > 0) await runHook(client, container, { command: ['rm', '-rf', ...topmost(gone)], user: 'root' });
      if (copies.length > 0) await client.containers.writeArchive(container.id, { path: '/', tar: tarOf(copies) });
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
