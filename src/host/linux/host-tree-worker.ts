import { readFileSync, realpathSync, statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { errnoOf, isBerthError, messageOf } from '#base';
import type { HostPlace } from '../host-trees.ts';
import { check, libc } from './libc.ts';
import { parseMountTable } from './mount-table.ts';
import { systemCalls } from './system-calls.ts';

/** What the thread shall find out about `path` of the host. */
export interface TreeQuestion {
  /** Mount namespace to look in; undefined for this process's own. */
  readonly namespaceFd: number | undefined;
  readonly path: string;
  /** Open a copy of the tree at `path`, with the mounts below it or without. */
  readonly clone?: { readonly recursive: boolean };
}

/** What it found; `fd` is the copy, open in the whole process. */
export type TreeAnswer =
  | { readonly place: HostPlace; readonly isDirectory: boolean; readonly fd: number | undefined }
  | { readonly errno: string; readonly message: string };

const newMountNamespace = 0x20000;
const ownFileSystem = 0x200;
const atCurrentDirectory = -100;
const openTreeClone = 1;
const closeOnExec = 0o2000000;
const recursively = 0x8000;

function answer({ namespaceFd, path, clone }: TreeQuestion): TreeAnswer {
  if (namespaceFd !== undefined) {
    // Only a thread with a root and working directory of its own may change its mount namespace (setns(2)).
    check('unshare(CLONE_FS)', () => libc.unshare(ownFileSystem));
    check('setns', () => libc.setns(namespaceFd, newMountNamespace));
  }
  const real = realpathSync(path);
  const isDirectory = statSync(real).isDirectory();
  const place = placeOf(real);
  if (clone === undefined) return { place, isDirectory, fd: undefined };
  const flags = openTreeClone | closeOnExec | (clone.recursive ? recursively : 0);
  const fd = Number(
    check(`open_tree ${real}`, () => Number(libc.openTree(systemCalls.openTree, atCurrentDirectory, real, flags))),
  );
  return { place, isDirectory, fd };
}

function placeOf(path: string): HostPlace {
  const table = parseMountTable(readFileSync('/proc/thread-self/mountinfo', 'utf8'));
  const above = table.filter(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`));
  // The deepest mount point; of several mounts on it the last.
  const mount = above.reduce((best, entry) => (entry.target.length >= best.target.length ? entry : best));
  return { path, mountpoint: mount.target, propagation: mount.propagation };
}

if (parentPort !== null) {
  try {
    parentPort.postMessage(answer(workerData as TreeQuestion));
  } catch (error) {
    const errno = isBerthError(error) ? String(error.details.errno) : (errnoOf(error) ?? '');
    parentPort.postMessage({ errno, message: messageOf(error) } satisfies TreeAnswer);
  }
}
