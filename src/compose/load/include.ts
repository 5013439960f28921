import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { errnoOf, messageOf } from '#base';
import { DecodeFault, eachDecoded, wording } from './decode-fault.ts';
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

/** An entry of `include`. */
interface Entry {
  at: Path;
  files: string[];
  /** Undefined when not said: then `.env` is read. */
  envFiles: string[] | undefined;
  /** Empty when not said. */
  projectDirectory: string;
}

/** One or several texts. */
function textList(value: Tree, path: Path): string[] {
  const texts = value === null ? [] : isList(value) ? value : [value];
  return texts.map((text) => {
    if (typeof text === 'string') return text;
    throw new DecodeFault([{ path, text: `invalid type ${goTypeOf(value)} for string list` }]);
  });
}

function textOrInteger(value: Tree, path: Path): string {
  if (value === null) return '';
  if (typeof value === 'string' || goTypeOf(value) === 'int') return scalarText(value);
  const text = `expected type 'string', got unconvertible type '${goTypeOf(value)}'`;
  throw new DecodeFault([{ path, text }]);
}

function entryOf(item: Tree, index: number): Entry {
  const where = `[${index}]`;
  const entry = typeof item === 'string' ? treeMap({ path: item }) : (item ?? new Map<string, Tree>());
  if (!isMap(entry)) {
    const found = isList(entry) ? 'slice' : goTypeOf(entry);
    throw new DecodeFault([{ path: [where], text: `expected a map or struct, got "${found}"` }]);
  }
  const envFiles = entry.get('env_file') ?? null;
  return {
    at: ['include', String(index)],
    files: textList(entry.get('path') ?? null, [where, 'path']),
    envFiles: envFiles === null ? undefined : textList(envFiles, [where, 'env_file']),
    projectDirectory: textOrInteger(entry.get('project_directory') ?? null, [where, 'project_directory']),
  };
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
  const named = entry.envFiles?.filter((file) => file !== '/dev/null') ?? [];
  for (const relativeFile of named.filter((file) => !isAbsolute(file))) {
    const file = join(scope.directory, relativeFile);
    const kind = await scope.reader.kind(file);
    if (kind === 'missing') throw scope.sources.error(`stat ${file}: no such file or directory`, path);
    if (kind === 'directory') throw scope.sources.error(`${file} is not a file`, path);
  }
  const given = named.map((file) => resolve(scope.directory, file));
  const files = entry.envFiles?.length ? given : await defaultEnvFile(directory, new Map(), scope.reader);
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
  const { at: path, files, projectDirectory: declared } = entry;
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
  const entries = wording(options.scope.sources, ['include'], () => eachDecoded(include, entryOf));
  for (const entry of entries) importModel(await includeEntry(entry, options), model, options);
}
