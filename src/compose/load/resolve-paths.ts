import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { pathRules, type RuleNode, ruleAt } from './path-rules.ts';
import type { Sources } from './sources.ts';
import { isList, isMap, mapAt, type Path, type Tree, type TreeMap, textAt } from './tree.ts';

interface PathContext {
  /** Directory that relative paths start from; may itself be relative. */
  base: string;
  path: Path;
  sources: Sources;
}

type Resolve = (value: Tree, context: PathContext) => Tree;

const remotePrefixes = ['https://', 'http://', 'git://', 'ssh://', 'github.com/', 'git@'];

/** True for a build context or file that is not on this machine's disk. */
export function isRemote(path: string): boolean {
  return remotePrefixes.some((prefix) => path.startsWith(prefix));
}

/** Replaces a leading `~` by the home directory. */
export function expandHome(path: string): string {
  return path.startsWith('~') ? join(process.env.HOME ?? homedir(), path.slice(1)) : path;
}

function absolute(path: string, base: string): string {
  const expanded = expandHome(path);
  return isAbsolute(expanded) ? expanded : join(base, expanded).replace(/(.)\/$/, '$1');
}

/** No path stays none. */
const file: Resolve = (value, { base }) => (typeof value === 'string' && value !== '' ? absolute(value, base) : value);

/** An absolute path of Windows, which the engine may run on while we do not. */
const windowsPath = /^(?:[a-zA-Z]:[\\/]|\\\\)/;

/** A path that is left alone when it is one of Windows; none is the directory itself. */
const anySystemsFile: Resolve = (value, { base }) =>
  typeof value === 'string' && !windowsPath.test(value) ? absolute(value, base) : value;

const contextPath: Resolve = (value, context) => {
  if (
    typeof value !== 'string' ||
    value === '' ||
    value.includes('://') ||
    value.startsWith('service:') ||
    isRemote(value)
  )
    return value;
  return file(value, context);
};

const sshPath: Resolve = (value, { base }) => (typeof value === 'string' ? absolute(value, base) : value);

const mount: Resolve = (value, { base, path, sources }) => {
  if (!isMap(value) || value.get('type') !== 'bind') return value;
  const source = textAt(value, 'source');
  if (source === undefined) {
    throw sources.error('invalid mount config for type "bind": field Source must not be empty', path);
  }
  if (!windowsPath.test(source)) value.set('source', absolute(source, base));
  return value;
};

const boundVolume: Resolve = (value, { base }) => {
  const options = isMap(value) ? mapAt(value, 'driver_opts') : undefined;
  if (!isMap(value) || !options || (textAt(value, 'driver') ?? '') !== 'local') return value;
  const device = textAt(options, 'device');
  if (textAt(options, 'o') === 'bind' && device !== undefined) options.set('device', absolute(device, base));
  return value;
};

const resolvers = pathRules<Resolve>({
  'services.*.build.context': contextPath,
  'services.*.build.additional_contexts.*': contextPath,
  'services.*.build.ssh.*': sshPath,
  'services.*.env_file.*.path': file,
  'services.*.label_file.*': file,
  'services.*.extends.file': (value, context) =>
    typeof value === 'string' && isRemote(value) ? value : file(value, context),
  'services.*.develop.watch.*.path': file,
  'services.*.volumes.*': mount,
  'configs.*.file': anySystemsFile,
  'secrets.*.file': anySystemsFile,
  'volumes.*': boundVolume,
});

function walk(value: Tree, rules: RuleNode<Resolve>, context: PathContext): Tree {
  if (rules.rule) return rules.rule(value, context);
  if (isList(value)) {
    return value.map((entry, index) => {
      const next = ruleAt(rules, String(index));
      return next ? walk(entry, next, { ...context, path: [...context.path, String(index)] }) : entry;
    });
  }
  if (!isMap(value)) return value;
  for (const [key, entry] of value) {
    const next = ruleAt(rules, key);
    if (next) value.set(key, walk(entry, next, { ...context, path: [...context.path, key] }));
  }
  return value;
}

/**
 * Makes the relative paths of a canonical model start from `base`. Changes `model`. Whether a path exists is not looked
 * at. Throws `invalid` for a bind mount without a source.
 */
export function resolvePaths(model: TreeMap, base: string, sources: Sources): void {
  walk(model, resolvers, { base, path: [], sources });
}
