import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { errnoOf, messageOf } from '#base';
import type { ModelScope } from './load-scope.ts';
import { defaultEnvFile, readEnvFiles } from './project-environment.ts';
import { expandHome, isRemote } from './resolve-paths.ts';
import { isList, isMap, type Path, sameTree, scalarText, type Tree, type TreeMap, textAt, treeMap } from './tree.ts';

/** Builds the model of an included project from its files. */
export type BuildModel = (files: readonly string[], scope: ModelScope) => Promise<TreeMap>;

/** What {@link applyInclude} needs beside the model. */
export interface IncludeOptions {
  /** The file that says `include`. */
  file: string;
  scope: ModelScope;
  buildModel: BuildModel;
}

const sections = ['services', 'volumes', 'networks', 'secrets', 'configs', 'models'];

function textsOf(value: Tree | undefined): string[] {
  if (value === undefined || value === null) return [];
  return isList(value) ? value.map(scalarText) : [scalarText(value)];
}

/** Adds what the included project defines; the same definition twice is fine, another is an error. */
function importModel(included: TreeMap, model: TreeMap, { scope }: IncludeOptions): void {
  for (const section of sections) {
    const from = included.get(section);
    if (!isMap(from)) continue;
    const declared = model.get(section);
    const into: TreeMap = isMap(declared) ? declared : new Map();
    for (const [name, value] of from) {
      const existing = into.get(name);
      if (existing === undefined) into.set(name, value);
      else if (!sameTree(existing, value)) {
        throw scope.sources.error(`${section}.${name} conflicts with imported resource`, [section, name]);
      }
    }
    model.set(section, into);
  }
}

async function environmentOf(entry: TreeMap, directory: string, { scope }: IncludeOptions, path: Path) {
  const named = textsOf(entry.get('env_file')).map((file) => resolve(scope.directory, expandHome(file)));
  for (const file of named) {
    const kind = await scope.reader.kind(file);
    if (kind === 'missing') throw scope.sources.error(`stat ${file}: no such file or directory`, [...path, 'env_file']);
    if (kind === 'directory') throw scope.sources.error(`${file} is not a file`, [...path, 'env_file']);
  }
  const files = named.length > 0 ? named : await defaultEnvFile(directory, new Map(), scope.reader);
  const read = await readEnvFiles(files, {
    reader: scope.reader,
    environment: scope.environment,
    onUnset: (name) => scope.warn(`The "${name}" variable is not set. Defaulting to a blank string.`),
  });
  return new Map([...read, ...scope.environment]);
}

async function includeEntry(entry: TreeMap, options: IncludeOptions, path: Path): Promise<TreeMap> {
  const { scope, file, buildModel } = options;
  const files = textsOf(entry.get('path'));
  for (const name of files) {
    if (isRemote(name) || name.startsWith('oci://')) {
      throw scope.sources.error(`cannot include ${name}: only local files are supported`, path);
    }
  }
  const absolute = files.map((name) => resolve(scope.directory, expandHome(name)));
  const main = absolute[0];
  if (main === undefined) throw scope.sources.error('include: path is required', path);
  const chain = [...scope.includedFrom, file];
  if (chain.includes(main)) {
    const [first, ...others] = [...chain, main];
    throw scope.sources.error(`include cycle detected:\n${first}\n include ${others.join('\n include ')}`, path);
  }
  const declared = textAt(entry, 'project_directory');
  const directory = declared === undefined ? dirname(main) : resolve(scope.directory, expandHome(declared));
  const base =
    declared && isAbsolute(declared) ? declared : join(scope.base, relative(scope.directory, directory) || '.');
  const environment = await environmentOf(entry, directory, options, path);
  try {
    return await buildModel(absolute, { ...scope, base, directory, environment, includedFrom: chain });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    const missing = errnoOf(error) === 'ENOENT';
    const at = absolute.find((name) => messageOf(error).includes(name)) ?? main;
    const message = missing ? `open ${at}: no such file or directory` : messageOf(error);
    throw scope.sources.error(message, path, { cause: error });
  }
}

/**
 * Loads what `include` names, each with its own directory and environment, and adds its objects to `model`.
 * Throws `invalid` for a missing file, a circle, and an object defined differently on both sides.
 */
export async function applyInclude(model: TreeMap, options: IncludeOptions): Promise<void> {
  const include = model.get('include');
  model.delete('include');
  if (include === undefined || include === null) return;
  if (!isList(include)) {
    throw options.scope.sources.error(`\`include\` must be a list, got ${scalarText(include)}`, ['include']);
  }
  for (const [index, item] of include.entries()) {
    const entry = isMap(item) ? item : treeMap({ path: item });
    const path = ['include', String(index)];
    importModel(await includeEntry(entry, options, path), model, options);
  }
}
