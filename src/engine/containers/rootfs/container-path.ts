import { constants } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, invalid } from '#base';

/** A container's files as the host sees them: its root and what is mounted over it. */
export interface FileView {
  /** The mounted root file system. */
  readonly rootfs: string;
  /** Volumes and binds; `source` is on the host. */
  readonly mounts: readonly { readonly destination: string; readonly source: string; readonly rw: boolean }[];
}

/** A path of a container, found on the host. */
export interface LocatedPath {
  /** The path in the container with all links resolved (the last only when asked). */
  readonly containerPath: string;
  /** Directory on the host that must not be left. */
  readonly root: string;
  /** Path below `root`. */
  readonly inner: string;
  /** `root` and `inner` joined. */
  readonly hostPath: string;
  readonly exists: boolean;
  /** False below a read-only mount. */
  readonly writable: boolean;
}

const mostLinks = 255;

/**
 * Finds `path` as a process in the container would, but from outside: every symbolic link is resolved inside the view,
 * and `..` stops at its root, so the result is never a file of the host that the container does not see. Throws
 * `invalid` for a loop of links. A container that runs may change its files at any time: whoever opens the result must
 * still refuse to follow links (O_NOFOLLOW) or resolve again below `root`.
 */
export async function locatePath(view: FileView, path: string, options: { followLast: boolean }): Promise<LocatedPath> {
  let rest = split(path);
  let done: string[] = [];
  let links = 0;
  let exists = true;
  while (rest.length > 0) {
    const [name = '', ...after] = rest;
    rest = after;
    if (name === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const next = [...done, name];
    const { hostPath } = place(view, `/${next.join('/')}`);
    const target = exists ? await readLink(hostPath) : undefined;
    if (target === 'missing') exists = false;
    if (target === undefined || target === 'missing' || (rest.length === 0 && !options.followLast)) {
      done = next;
      continue;
    }
    if (++links > mostLinks) throw invalid(`${path}: too many levels of symbolic links`);
    rest = [...split(target.link), ...rest];
    if (target.link.startsWith('/')) done = [];
  }
  const containerPath = `/${done.join('/')}`;
  return { containerPath, exists, ...place(view, containerPath) };
}

/** Reads a small regular file of the container (at most `limit` bytes); undefined when it is missing or anything else. */
export async function readContainerFile(view: FileView, path: string, limit = 1 << 20): Promise<string | undefined> {
  const { hostPath, exists } = await locatePath(view, path, { followLast: true });
  if (!exists || !(await lstat(hostPath)).isFile()) return undefined;
  const file = await open(hostPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(Math.min(limit, (await file.stat()).size));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function split(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

async function readLink(hostPath: string): Promise<{ link: string } | 'missing' | undefined> {
  try {
    return (await lstat(hostPath)).isSymbolicLink() ? { link: await readlink(hostPath) } : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return 'missing';
    throw error;
  }
}

/** The mount with the longest destination above `path` holds it. */
function place(view: FileView, path: string): Pick<LocatedPath, 'root' | 'inner' | 'hostPath' | 'writable'> {
  let best = { destination: '', source: view.rootfs, rw: true };
  for (const mount of view.mounts) {
    const inside = path === mount.destination || path.startsWith(`${mount.destination}/`);
    if (inside && mount.destination.length > best.destination.length) best = mount;
  }
  const inner = path.slice(best.destination.length);
  // What is mounted may be a single file: its directory is the root then.
  if (inner === '' && best.destination !== '') {
    const { source } = best;
    return { root: dirname(source), inner: `/${basename(source)}`, hostPath: source, writable: best.rw };
  }
  return { root: best.source, inner: inner || '/', hostPath: join(best.source, inner), writable: best.rw };
}
