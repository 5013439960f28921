import { lstatSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import type { Readable } from 'node:stream';
import type { TreeArchiver } from '#archive';
import { invalid, parseDockerignore } from '#base';
import type { BuildRequest } from '../builder.ts';
import { resolveInRoot } from '../tree/root-path.ts';
import type { TreeWorkers } from '../tree/tree-workers.ts';

const mostDockerfileBytes = 8 << 20;

/** What unpacks contexts. */
export interface ContextServices {
  readonly archiver: TreeArchiver;
  readonly trees: TreeWorkers;
}

/**
 * Unpacks the context into the new directory `directory`, reads the Dockerfile, and removes what `.dockerignore` (or
 * `<Dockerfile>.dockerignore`) leaves out. Returns the Dockerfile's text. Throws `invalid` for a bad archive, an absent
 * Dockerfile and a malformed ignore file.
 */
export async function openContext(
  request: Pick<BuildRequest, 'context' | 'dockerfile' | 'recipe' | 'signal'>,
  directory: string,
  services: ContextServices,
): Promise<string> {
  await makeRoot(directory);
  await services.archiver.unpack(directory, '/', request.context, { signal: request.signal });
  const dockerfile = posix.resolve('/', request.dockerfile).slice(1);
  const { recipe } = request;
  const text = recipe === undefined ? await readSmall(directory, dockerfile) : recipe.text;
  if (text === undefined) throw invalid(`Cannot locate specified Dockerfile: ${request.dockerfile}`);
  const own = recipe === undefined ? await readSmall(directory, `${dockerfile}.dockerignore`) : recipe.ignore;
  const ignore = own ?? (await readSmall(directory, '.dockerignore'));
  await dropIgnored(directory, ignore, { trees: services.trees, signal: request.signal });
  return text;
}

/**
 * Unpacks a tree beside the context into the new directory `directory`, everything root's as BuildKit's clients send it,
 * without what the tree's own `.dockerignore` leaves out. Throws as {@link openContext} does.
 */
export async function openTree(
  archive: Readable,
  directory: string,
  services: ContextServices & { signal: AbortSignal },
): Promise<void> {
  const { archiver, trees, signal } = services;
  await makeRoot(directory);
  await archiver.unpack(directory, '/', archive, { signal, keepOwner: false, owner: { uid: 0, gid: 0 } });
  await dropIgnored(directory, await readSmall(directory, '.dockerignore'), { trees, signal });
}

async function makeRoot(directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  // `COPY . /new` gives the new directory the mode of the context's root.
  await mkdir(directory, { mode: 0o755 });
}

async function dropIgnored(
  root: string,
  ignore: string | undefined,
  { trees, signal }: { trees: TreeWorkers; signal: AbortSignal },
): Promise<void> {
  const rules = ignore === undefined ? [] : parseDockerignore(ignore);
  if (rules.length > 0) await trees.run({ kind: 'drop-ignored', root, rules }, signal);
}

async function readSmall(root: string, path: string): Promise<string | undefined> {
  const file = resolveInRoot(root, path);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw invalid(`${path} in the build context is not a file`);
  if (stats.size > mostDockerfileBytes) throw invalid(`${path} is larger than ${mostDockerfileBytes} bytes`);
  return readFile(file, 'utf8');
}
