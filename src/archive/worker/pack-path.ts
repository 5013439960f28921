import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import { canceled, errnoOf, invalid, notFound } from '#base';
import type { ThreadRoot } from '#host';
import { type ByteName, fromText, toHostPath, toText } from '../tar/byte-name.ts';
import { chunkSize, type TaskContext } from './task.ts';
import { type PackPolicy, packTree, type WalkedFile, walkTree } from './tree-reader.ts';

/** What {@link packPath} needs. */
export interface PackRequest {
  readonly root: string;
  readonly path: string;
  readonly rename: string | undefined;
  readonly excluded: ReadonlySet<string>;
  /** As in `PackOptions`. */
  readonly exact: boolean;
}

/** Attributes that only steer overlayfs on the host, and those that the kernel makes up for each reader. */
const hostOnly = /^(?:(?:trusted|user)\.overlay\.|system\.)/;
/** The one kind of those that is kept on disk (acl(5)). */
const accessList = /^system\.posix_acl_/;

/** Docker's base name of a path: `/` for the root, `.` for one that ends in `/.`. */
function defaultName(path: string): string {
  if (/^\/*\.?\/*$/.test(path)) return path.endsWith('.') ? '.' : '/';
  return path.endsWith('/.') ? '.' : basename(path);
}

/** The path that a walk starts from: absolute; a slash at its end makes the kernel follow a symlink. */
function startOf(path: string): ByteName {
  const text = `/${path}`.replace(/\/+/g, '/');
  return fromText(text === '/' || text === '/.' ? '/' : text.endsWith('/') ? `${text}.` : text);
}

function policyFor(name: string, { excluded, exact }: PackRequest): PackPolicy {
  const base = name === '/' ? '' : fromText(name);
  const hasRoot = name !== '';
  return {
    nameOf: ({ relative }) => {
      if (!hasRoot) return relative === '' ? undefined : relative;
      return relative === '' ? base : `${base}/${relative}`;
    },
    takes: ({ relative }) => excluded.size === 0 || !excluded.has(toText(relative)),
    nanoseconds: exact,
    keepsHoles: exact,
    keepsXattr: (attribute) => !hostOnly.test(attribute) || (exact && accessList.test(attribute)),
  };
}

function openRoot(root: string): number {
  try {
    return openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') throw notFound(`${root}: no such directory`);
    if (code === 'ENOTDIR') throw invalid(`${root}: not a directory`);
    throw error;
  }
}

function mustExist(start: ByteName, path: string): void {
  let isThere = false;
  try {
    isThere = lstatSync(toHostPath(start), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP' && errnoOf(error) !== 'ENAMETOOLONG') throw error;
  }
  if (!isThere) throw notFound(`${path}: no such file or directory`);
}

/** Sends a tar of `path` inside `root` to the caller, piece by piece as there is room. */
export async function packPath(request: PackRequest, root: ThreadRoot, task: TaskContext): Promise<void> {
  const { path } = request;
  const start = startOf(path);
  const directory = openRoot(request.root);
  const policy = policyFor(request.rename ?? defaultName(path), request);
  const pieces = packTree(start, policy, { size: chunkSize, reuse: false });
  try {
    root.run(directory, () => mustExist(start, path));
    task.ready();
    for (;;) {
      const next = root.run(directory, () => pieces.next());
      if (next.done) return;
      await task.send(next.value);
      if (task.signal.aborted) throw canceled(`packing ${path} was canceled`);
    }
  } finally {
    pieces.return(undefined);
    closeSync(directory);
  }
}

/** Paths of all files below `path` inside `root`, relative to it, each directory before its members. */
export async function listPath(
  request: { readonly root: string; readonly path: string },
  root: ThreadRoot,
): Promise<string[]> {
  const start = startOf(request.path);
  const directory = openRoot(request.root);
  try {
    return root.run(directory, () => {
      mustExist(start, request.path);
      const paths: string[] = [];
      const isDirectory = (_file: WalkedFile) => true;
      for (const file of walkTree(start, isDirectory)) if (file.relative !== '') paths.push(toText(file.relative));
      return paths;
    });
  } finally {
    closeSync(directory);
  }
}
