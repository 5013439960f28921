import { invalid } from '#base';
import { pathRules, type RuleNode, ruleAt } from './path-rules.ts';
import type { Sources } from './sources.ts';
import { goSpelled, goTypeOf, isList, isMap, type Path, scalarText, type Tree, type TreeMap, textAt } from './tree.ts';
import { parseVolumeSpec } from './volume-spec.ts';

interface UnicityContext {
  path: Path;
  sources: Sources;
}

/** Says which entries of a list are the same thing; undefined keeps the entry whatever follows. */
type Identity = (entry: Tree, path: Path) => string | undefined;

const byKey: Identity = (entry, path) => {
  if (typeof entry === 'string') return entry.split('=', 1)[0];
  throw invalid(`${path.join('.')}: unexpected type ${goTypeOf(entry)}`);
};

const byValue: Identity = (entry, path) => {
  if (typeof entry === 'string' || goTypeOf(entry) === 'int') return scalarText(entry);
  throw invalid(`${path.join('.')}: unsupported expose value ${goSpelled(entry)}`);
};

const byTarget: Identity = (entry, path) => {
  if (typeof entry === 'string') return parseVolumeSpec(entry).target;
  if (!isMap(entry)) return undefined;
  const target = textAt(entry, 'target');
  if (target === undefined) throw invalid(`service volume ${path.join('.')} is missing a mount target`);
  return target;
};

const byDeviceTarget: Identity = (entry, path) => {
  if (!isMap(entry)) {
    const [source = '', target = source] = scalarText(entry).split(':');
    return target;
  }
  const target = textAt(entry, 'target');
  if (target === undefined) throw invalid(`service device ${path.join('.')} is missing a mount target`);
  return target;
};

const byMountTarget =
  (directory: string): Identity =>
  (entry, path) => {
    if (typeof entry === 'string') return `${directory}/${entry}`;
    if (!isMap(entry)) throw invalid(`${path.join('.')}: unsupported expose value ${goSpelled(entry)}`);
    return textAt(entry, 'target') ?? `${directory}/${scalarText(entry.get('source') ?? null)}`;
  };

const byEnvFile: Identity = (entry, path) => {
  if (!isMap(entry)) return scalarText(entry);
  if (!entry.has('path')) throw invalid(`environment path attribute ${path.join('.')} is missing`);
  return textAt(entry, 'path');
};

function typed(value: Tree | undefined): string {
  return value === undefined ? '' : `${goTypeOf(value)} ${scalarText(value)}`;
}

const byPort: Identity = (entry, path) => {
  if (!isMap(entry)) return scalarText(entry);
  const target = entry.get('target');
  if (target === undefined) throw invalid(`service ports ${path.join('.')} is missing a target port`);
  const host = textAt(entry, 'host_ip') ?? '0.0.0.0';
  const protocol = textAt(entry, 'protocol') ?? 'tcp';
  // A port as text and the same port as a number are two, as are none and an empty one.
  return JSON.stringify([host, typed(entry.get('published')), typed(target), protocol]);
};

const identities = pathRules<Identity>({
  'networks.*.labels': byKey,
  'networks.*.ipam.options': byKey,
  'services.*.annotations': byKey,
  'services.*.build.args': byKey,
  'services.*.build.additional_contexts': byKey,
  'services.*.build.tags': byKey,
  'services.*.build.labels': byKey,
  'services.*.cap_add': byKey,
  'services.*.cap_drop': byKey,
  'services.*.devices': byDeviceTarget,
  'services.*.configs': byMountTarget(''),
  'services.*.deploy.labels': byKey,
  'services.*.dns': byKey,
  'services.*.dns_opt': byKey,
  'services.*.dns_search': byKey,
  'services.*.environment': byKey,
  'services.*.env_file': byEnvFile,
  'services.*.expose': byValue,
  'services.*.labels': byKey,
  'services.*.links': byKey,
  'services.*.networks.*.aliases': byKey,
  'services.*.networks.*.link_local_ips': byKey,
  'services.*.ports': byPort,
  'services.*.profiles': byKey,
  'services.*.secrets': byMountTarget('/run/secrets'),
  'services.*.sysctls': byKey,
  'services.*.tmpfs': byKey,
  'services.*.volumes': byTarget,
});

function unique(list: Tree[], identity: Identity, { path, sources }: UnicityContext): Tree[] {
  const kept: Tree[] = [];
  const positions = new Map<string, number>();
  for (const [index, entry] of list.entries()) {
    const key = sources.locating([...path, String(index)], () => identity(entry, [...path, `[${index}]`]));
    const at = key === undefined ? undefined : positions.get(key);
    if (at !== undefined) kept[at] = entry;
    else {
      if (key !== undefined) positions.set(key, kept.length);
      kept.push(entry);
    }
  }
  return kept;
}

function walk(value: Tree, rules: RuleNode<Identity>, context: UnicityContext): Tree {
  if (isList(value)) return rules.rule ? unique(value, rules.rule, context) : value;
  if (!isMap(value)) return value;
  for (const [key, entry] of value) {
    const next = ruleAt(rules, key);
    if (next) value.set(key, walk(entry, next, { ...context, path: [...context.path, key] }));
  }
  return value;
}

/**
 * In lists whose entries have an identity (a volume's target, a variable's name, a port), keeps the last entry of each
 * at the place of the first. Changes `model`. Throws `invalid` for an entry without its identity.
 */
export function dropRedefinitions(model: TreeMap, sources: Sources): void {
  walk(model, identities, { path: [], sources });
}

/** True for the path of a list whose entries have an identity. */
export function hasIdentity(path: Path): boolean {
  return path.reduce<RuleNode<Identity> | undefined>(ruleAt, identities)?.rule !== undefined;
}
