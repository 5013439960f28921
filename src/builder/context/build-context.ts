import { lstatSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import type { TreeArchiver } from '#archive';
import { invalid, parseDockerignore } from '#base';
import type { BuildRequest } from '../builder.ts';
import { resolveInRoot } from '../tree/root-path.ts';
import type { TreeWorkers } from '../tree/tree-workers.ts';

const mostDockerfileBytes = 8 << 20;

/**
 * Unpacks the context into the new directory `directory`, reads the Dockerfile, and removes what `.dockerignore` (or
 * `<Dockerfile>.dockerignore`) leaves out. Returns the Dockerfile's text. Throws `invalid` for a bad archive, an absent
 * Dockerfile and a malformed ignore file.
 */
export async function openContext(
  request: Pick<BuildRequest, 'context' | 'dockerfile' | 'recipe' | 'signal'>,
  directory: string,
  services: { archiver: TreeArchiver; trees: TreeWorkers },
): Promise<string> {
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  // `COPY . /new` gives the new directory the mode of the context's root.
  await mkdir(directory, { mode: 0o755 });
  await services.archiver.unpack(directory, '/', request.context, { signal: request.signal });
  const dockerfile = posix.resolve('/', request.dockerfile).slice(1);
  const { recipe } = request;
  const text = recipe === undefined ? await readSmall(directory, dockerfile) : recipe.text;
  if (text === undefined) throw invalid(`Cannot locate specified Dockerfile: ${request.dockerfile}`);
  const own = recipe === undefined ? await readSmall(directory, `${dockerfile}.dockerignore`) : recipe.ignore;
  const ignore = own ?? (await readSmall(directory, '.dockerignore'));
  const rules = ignore === undefined ? [] : parseDockerignore(ignore);
  if (rules.length > 0) await services.trees.run({ kind: 'drop-ignored', root: directory, rules }, request.signal);
  return text;
}

async function readSmall(root: string, path: string): Promise<string | undefined> {
  const file = resolveInRoot(root, path);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw invalid(`${path} in the build context is not a file`);
  if (stats.size > mostDockerfileBytes) throw invalid(`${path} is larger than ${mostDockerfileBytes} bytes`);
  return readFile(file, 'utf8');
}
