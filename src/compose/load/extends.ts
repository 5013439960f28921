import { dirname, isAbsolute, join, relative } from 'node:path';
import { errnoOf } from '#base';
import type { ModelScope } from './load-scope.ts';
import { mergeServices, resetPath } from './merge.ts';
import { isRemote, resolvePaths } from './resolve-paths.ts';
import { unreadable } from './source-reader.ts';
import { cloneTree, isMap, type Path, type Tree, type TreeMap, textAt, treeMap } from './tree.ts';

/** Reads a file whose services are extended: long forms, neither validated nor merged. */
export type LoadBaseFile = (file: string, scope: ModelScope) => Promise<TreeMap>;

/** What {@link applyExtends} needs beside the model. */
export interface ExtendsOptions {
  /** The file that the model is from, for messages. */
  file: string;
  scope: ModelScope;
  /** Paths that the document tags `!reset` or `!override`. */
  resets: readonly Path[];
  loadBaseFile: LoadBaseFile;
}

interface Link {
  service: string;
  file: string;
}

interface Chain extends ExtendsOptions {
  services: TreeMap;
  links: readonly Link[];
}

function checkCircle(chain: Chain, link: Link): readonly Link[] {
  const links = [...chain.links, link];
  const known = chain.links.some(({ service, file }) => service === link.service && file === link.file);
  if (!known) return links;
  const lines = links.map(({ service, file }, index) => `  ${index === 0 ? '' : 'extends '}${service} in ${file}`);
  const path = ['services', link.service, 'extends'];
  throw chain.scope.sources.error(`Circular reference:\n${lines.join('\n')}`, path);
}

async function baseFile(name: string, reference: string, chain: Chain): Promise<{ services: TreeMap; file: string }> {
  const { scope, loadBaseFile } = chain;
  const path = ['services', name, 'extends', 'file'];
  if (isRemote(reference))
    throw scope.sources.error(`cannot extend from ${reference}: only local files are supported`, path);
  const file = isAbsolute(reference) ? reference : join(scope.directory, reference);
  let model: TreeMap;
  try {
    model = await loadBaseFile(file, scope);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw scope.sources.error(unreadable(file, error), path, { cause: error });
  }
  const base = relative(scope.directory, dirname(file)) || '.';
  resolvePaths(model, base, scope.sources);
  const services = model.get('services');
  if (services === undefined) {
    throw scope.sources.error(`cannot extend service ${JSON.stringify(name)} in ${file}: no services section`, path);
  }
  if (!isMap(services)) {
    throw scope.sources.error(
      `cannot extend service ${JSON.stringify(name)} in ${file}: services must be a mapping`,
      path,
    );
  }
  return { services, file };
}

async function extended(name: string, chain: Chain): Promise<Tree> {
  const { scope, services } = chain;
  const service = services.get(name) ?? null;
  if (service === null) return null;
  if (!isMap(service)) throw scope.sources.error(`services.${name} must be a mapping`, ['services', name]);
  const declared = service.get('extends');
  if (declared === undefined) return service;
  const path = ['services', name, 'extends'];
  const reference = isMap(declared) ? textAt(declared, 'service') : typeof declared === 'string' ? declared : '';
  if (reference === undefined) throw scope.sources.error(`extends.${name}.service is required`, path);
  const fileName = isMap(declared) ? textAt(declared, 'file') : undefined;

  let next = { services, file: chain.file };
  if (fileName !== undefined) next = await baseFile(name, fileName, chain);
  if (!next.services.has(reference)) {
    const where = fileName === undefined ? '' : ` in ${fileName}`;
    const message = `cannot extend service ${JSON.stringify(name)} in ${chain.file}: service ${JSON.stringify(reference)} not found${where}`;
    throw scope.sources.error(message, path);
  }
  const links = checkCircle(chain, { service: name, file: chain.file });
  const base = await extended(reference, { ...chain, ...next, links });
  if (!isMap(base)) return service;

  const source = cloneTree(base) as TreeMap;
  for (const reset of chain.resets) resetPath(treeMap({ services: treeMap({ [name]: source }) }), reset);
  const merged = mergeServices(source, service, scope.sources);
  merged.delete('extends');
  services.set(name, merged);
  return merged;
}

/**
 * Replaces every `extends` of `model` by the merge of the service extended and the service itself, along chains and
 * across files; paths from another file start from that file's directory.
 * Throws `invalid` for a missing service or file and for a circle, which it spells out.
 */
export async function applyExtends(model: TreeMap, options: ExtendsOptions): Promise<void> {
  const declared = model.get('services');
  if (declared === undefined) return;
  if (!isMap(declared)) throw options.scope.sources.error('services must be a mapping', ['services']);
  const services = declared;
  for (const name of [...services.keys()]) {
    services.set(name, await extended(name, { ...options, services, links: [] }));
  }
}
