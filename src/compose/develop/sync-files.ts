import { createReadStream, type Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import type { Client } from '#client';
import { runHook } from '../execute/index.ts';
import type { PathMapping } from './watch-rule.ts';

interface Copy extends PathMapping {
  readonly stats: Stats;
}

async function addEntry(tar: Pack, { hostPath, containerPath, stats }: Copy): Promise<void> {
  const name = containerPath.slice(1);
  const header = { name, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 };
  if (stats.isDirectory()) tar.entry({ ...header, name: `${name}/`, type: 'directory' });
  else if (stats.isSymbolicLink()) tar.entry({ ...header, type: 'symlink', linkname: await readlink(hostPath) });
  else if (stats.isFile() && stats.size === 0) tar.entry({ ...header, size: 0 }, '');
  else if (stats.isFile()) {
    const entry = tar.entry({ ...header, size: stats.size });
    // The file may grow while it is read; the header has promised its size.
    await pipeline(createReadStream(hostPath, { end: stats.size - 1 }), entry);
  }
}

/** The files as a tar, read while it is sent. */
function tarOf(copies: readonly Copy[]): Readable {
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
