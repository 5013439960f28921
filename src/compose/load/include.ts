import { dirname, isAbsolute, join, relative } from 'node:path';
import { errnoOf, messageOf } from '#base';
import type { ModelScope } from './load-scope.ts';
import { defaultEnvFile, readEnvFiles } from './project-environment.ts';
import { isRemote } from './resolve-paths.ts';
import { unreadable } from './source-reader.ts';
import {
  goSpelled,
  goTypeOf,
  isList,
  isMap,
  type Path,
  sameTree,
  scalarText,
  type Tree,
  type TreeMap,
  treeMap,
} from './tree.ts';

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

/** An entry of `include` in its long form; `where` is how messages show it. */
interface Entry {
  where: string;
  at: Path;
  tree: TreeMap;
}

function decodeFault(message: string, path: Path, { scope }: IncludeOptions): Error {
  return scope.sources.error(`decoding failed due to the following error(s):\n\n${message}`, path);
}

function entryOf(item: Tree, index: number, options: IncludeOptions): Entry {
  const [where, at] = [`[${index}]`, ['include', String(index)]];
  if (isMap(item)) return { where, at, tree: item };
  if (typeof item === 'string') return { where, at, tree: treeMap({ path: item }) };
  if (item === null) return { where, at, tree: new Map() };
  const found = isList(item) ? 'slice' : goTypeOf(item);
  throw decodeFault(`'${where}' expected a map or struct, got "${found}"`, at, options);
}

/** The texts of a key that takes one or several. */
function textsAt({ where, at, tree }: Entry, key: string, options: IncludeOptions): string[] {
  const value = tree.get(key) ?? null;
  const texts = value === null ? [] : isList(value) ? value : [value];
  return texts.map((text) => {
    if (typeof text === 'string') return text;
    throw decodeFault(`'${where}.${key}' invalid type ${goTypeOf(value)} for string list`, [...at, key], options);
  });
}

function projectDirectoryOf({ where, at, tree }: Entry, options: IncludeOptions): string {
  const value = tree.get('project_directory') ?? null;
  if (value === null || typeof value === 'string' || goTypeOf(value) === 'int') {
    return value === null ? '' : scalarText(value);
  }
  const message = `'${where}.project_directory' expected type 'string', got unconvertible type '${goTypeOf(value)}'`;
  throw decodeFault(message, [...at, 'project_directory'], options);
}

/** `path` as it is when absolute, else below `directory`. */
function below(directory: string, path: string): string {
  return isAbsolute(path) ? path : join(directory, path);
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

async function environmentOf(entry: Entry, directory: string, options: IncludeOptions) {
  const { scope } = options;
  const path = [...entry.at, 'env_file'];
  const named = textsAt(entry, 'env_file', options).filter((file) => file !== '/dev/null');
  for (const relativeFile of named.filter((file) => !isAbsolute(file))) {
    const file = join(scope.directory, relativeFile);
    const kind = await scope.reader.kind(file);
    if (kind === 'missing') throw scope.sources.error(`stat ${file}: no such file or directory`, path);
    if (kind === 'directory') throw scope.sources.error(`${file} is not a file`, path);
  }
  const given = named.map((file) => below(scope.directory, file));
  const files = entry.tree.has('env_file') ? given : await defaultEnvFile(directory, new Map(), scope.reader);
  const read = await readEnvFiles(files, {
    reader: scope.reader,
    environment: scope.environment,
    onUnset: (name) => scope.warn(`The "${name}" variable is not set. Defaulting to a blank string.`),
  });
  return new Map([...read, ...scope.environment]);
}

/** Where relative paths of the included project start. What is not a directory stands for the one that it would be in. */
async function baseOf(declared: string, directory: string, { scope }: IncludeOptions): Promise<string> {
  if (isAbsolute(declared)) return declared;
  const isDirectory = declared === '' || (await scope.reader.kind(directory)) === 'directory';
  return join(scope.base, relative(scope.directory, isDirectory ? directory : dirname(directory)) || '.');
}

async function includeEntry(entry: Entry, options: IncludeOptions): Promise<TreeMap> {
  const { scope, file, buildModel } = options;
  const { at: path } = entry;
  const files = textsAt(entry, 'path', options);
  const declared = projectDirectoryOf(entry, options);
  for (const name of files) {
    if (isRemote(name) || name.startsWith('oci://')) {
      throw scope.sources.error(`cannot include ${name}: only local files are supported`, path);
    }
  }
  const absolute = files.map((name) => below(scope.directory, name));
  const main = absolute[0];
  const chain = [...scope.includedFrom, file];
  if (main !== undefined && chain.includes(main)) {
    const [first, ...others] = [...chain, main];
    throw scope.sources.error(`include cycle detected:\n${first}\n include ${others.join('\n include ')}`, path);
  }
  const directory = declared === '' ? dirname(main ?? scope.directory) : below(scope.directory, declared);
  const base = await baseOf(declared, directory, options);
  const environment = await environmentOf(entry, directory, options);
  if (main === undefined) return new Map();
  try {
    return await buildModel(absolute, { ...scope, base, directory, environment, includedFrom: chain });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    const at = absolute.find((name) => messageOf(error).includes(name)) ?? main;
    throw scope.sources.error(unreadable(at, error), path, { cause: error });
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
    throw options.scope.sources.error(`\`include\` must be a list, got ${goSpelled(include)}`, ['include']);
  }
  for (const [index, item] of include.entries()) {
    importModel(await includeEntry(entryOf(item, index, options), options), model, options);
  }
}
