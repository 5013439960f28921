import { invalid } from '#base';
import { canonicalise } from './canonical.ts';
import { composeError } from './compose-error.ts';
import { setDefaults } from './defaults.ts';
import { applyExtends, type LoadBaseFile } from './extends.ts';
import { applyInclude } from './include.ts';
import { interpolate } from './interpolate.ts';
import { type ModelScope, variablesOf } from './load-scope.ts';
import { mergeModels, resetPath } from './merge.ts';
import { resolvePaths } from './resolve-paths.ts';
import { cloneTree, isList, isMap, mapAt, scalarText, type Tree, type TreeMap, textAt } from './tree.ts';
import { dropRedefinitions } from './unicity.ts';
import { validateModel } from './validate-model.ts';
import { validateSchema } from './validate-schema.ts';
import type { YamlDocument, YamlFile } from './yaml-file.ts';

/** Key that carries an environment secret's value; its `#` keeps it apart from what a file can sensibly say. */
export const secretValueKey = 'x-#value';

/** A file of the project: `name` as messages show it, and its text. */
export interface SourceText {
  name: string;
  text: string;
}

function asModel(value: Tree, file: string): TreeMap {
  if (value === null) throw invalid(`empty compose file: ${file}`);
  if (isMap(value)) return value;
  throw composeError('top-level object must be a mapping', { at: { file, line: 1, column: 1 } });
}

/** Drops empty entries of `dns`, which a variable without value leaves behind. */
function dropEmptyDns(model: TreeMap): void {
  for (const service of mapAt(model, 'services')?.values() ?? []) {
    const dns = isMap(service) ? service.get('dns') : undefined;
    if (isMap(service) && isList(dns)) {
      service.set(
        'dns',
        dns.filter((entry) => entry !== null && entry !== ''),
      );
    }
  }
}

const loadBaseFile: LoadBaseFile = async (name, scope) => {
  const { sources } = scope;
  const file = sources.parseNamed(name, await scope.reader.read(name));
  const model: TreeMap = new Map();
  for (const document of file.documents) {
    const layer = asModel(cloneTree(document.value), file.name);
    if (scope.interpolate) interpolate(layer, { ...scope, variables: variablesOf(scope) });
    layer.delete('include');
    for (const reset of document.resets) resetPath(model, reset);
    mergeModels(model, layer, sources);
    dropRedefinitions(model, sources);
    canonicalise(model, { sources, strict: scope.interpolate, warn: scope.warn });
    dropRedefinitions(model, sources);
  }
  return model;
};

async function mergeDocument(model: TreeMap, document: YamlDocument, file: YamlFile, scope: ModelScope): Promise<void> {
  const { sources } = scope;
  const layer = asModel(cloneTree(document.value), file.name);
  if (scope.interpolate) interpolate(layer, { ...scope, variables: variablesOf(scope) });
  await applyExtends(layer, { file: file.name, scope, resets: document.resets, loadBaseFile });
  for (const reset of document.resets) resetPath(model, reset);
  await applyInclude(layer, { file: file.name, scope, buildModel: buildIncluded });
  mergeModels(model, layer, sources);
  dropRedefinitions(model, sources);
  validateSchema(model, file.name, sources);
  if (model.delete('version')) {
    const advice =
      'the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion';
    scope.warn(`${file.name}: ${advice}`);
  }
  canonicalise(model, { sources, strict: scope.interpolate, warn: scope.warn });
  dropEmptyDns(model);
  // A range of ports shows its duplicates only in the long form.
  dropRedefinitions(model, sources);
}

/** Gives names without a value in `environment` lists, and objects made from a variable, the value it has here. */
function resolveEnvironment(model: TreeMap, environment: ReadonlyMap<string, string>): void {
  for (const service of mapAt(model, 'services')?.values() ?? []) {
    const list = isMap(service) ? service.get('environment') : undefined;
    if (!isMap(service) || !isList(list)) continue;
    const values = list.map((entry) => {
      const value = environment.get(scalarText(entry));
      return value === undefined ? entry : `${scalarText(entry)}=${value}`;
    });
    service.set('environment', values);
  }
  for (const [section, key] of [
    ['secrets', secretValueKey],
    ['configs', 'content'],
  ] as const) {
    for (const object of mapAt(model, section)?.values() ?? []) {
      const value = isMap(object) ? environment.get(textAt(object, 'environment') ?? '') : undefined;
      if (isMap(object) && value !== undefined) object.set(key, value);
    }
  }
}

async function buildIncluded(files: readonly string[], scope: ModelScope): Promise<TreeMap> {
  const texts = await Promise.all(files.map(async (name) => ({ name, text: await scope.reader.read(name) })));
  return buildModel(texts, scope);
}

/**
 * Reads and merges `files` into one model: variables replaced, `extends` and `include` applied, short forms expanded,
 * defaults set, paths resolved. Throws `invalid` naming file, line and key of what is wrong.
 */
export async function buildModel(files: readonly SourceText[], scope: ModelScope): Promise<TreeMap> {
  const model: TreeMap = new Map();
  for (const { name, text } of files) {
    const file = scope.sources.parseNamed(name, text);
    for (const document of file.documents) await mergeDocument(model, document, file, scope);
  }
  setDefaults(model);
  validateModel(model, scope.sources);
  if (scope.resolvePaths || scope.includedFrom.length > 0) resolvePaths(model, scope.base, scope.sources);
  if (scope.interpolate) resolveEnvironment(model, scope.environment);
  return model;
}
