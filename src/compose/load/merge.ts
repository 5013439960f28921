import { pathRules, type RuleNode, ruleAt } from './path-rules.ts';
import type { Sources } from './sources.ts';
import { isList, isMap, type Path, scalarText, type Tree, type TreeMap, treeMap } from './tree.ts';

interface MergeContext {
  path: Path;
  rules: RuleNode<Merger> | undefined;
  sources: Sources;
}

type Merger = (base: Tree, over: Tree, context: MergeContext) => Tree;

/** A mapping as a sorted list of `key=value`, a list as it is, text as one entry. */
function sequenceOf(value: Tree): Tree[] {
  if (isMap(value)) {
    const entries = [...value].flatMap(([key, entry]) =>
      isList(entry)
        ? entry.map((item) => `${key}=${scalarText(item)}`)
        : [entry === null ? key : `${key}=${scalarText(entry)}`],
    );
    return entries.sort();
  }
  if (isList(value)) return value;
  return value === null ? [] : [value];
}

function mergeValue(base: Tree, over: Tree, context: MergeContext): Tree {
  const { rules, path, sources } = context;
  if (rules?.rule) return rules.rule(base, over, context);
  if (over === null) return base;
  if (isMap(base)) {
    if (!isMap(over)) throw sources.error(`cannot override ${path.join('.')}`, path);
    return mergeMappings(base, over, context);
  }
  if (isList(base)) {
    if (!isList(over)) throw sources.error(`cannot override ${path.join('.')}`, path);
    return [...base, ...over];
  }
  return over;
}

function mergeMappings(base: TreeMap, over: TreeMap, { path, rules, sources }: MergeContext): TreeMap {
  for (const [key, value] of over) {
    const existing = base.get(key);
    if (existing === undefined || existing === null) {
      base.set(key, value);
      continue;
    }
    base.set(key, mergeValue(existing, value, { path: [...path, key], rules: ruleAt(rules, key), sources }));
  }
  return base;
}

const replace: Merger = (_base, over) => over;
const append: Merger = (base, over) => [...sequenceOf(base), ...sequenceOf(over)];

const appendNew: Merger = (base, over) => {
  const existing = sequenceOf(base);
  return [...existing, ...sequenceOf(over).filter((entry) => !existing.includes(entry))];
};

/** Merges as mappings after turning other forms into a mapping with `expand`. */
function asMapping(expand: (value: Tree) => TreeMap): Merger {
  return (base, over, context) => mergeMappings(expand(base), expand(over), context);
}

/** A list of names as a mapping from each to a fresh `entry`; a mapping as it is. */
function namesTo(entry: () => Tree): (value: Tree) => TreeMap {
  return (value) => {
    if (isMap(value)) return value;
    return new Map(isList(value) ? value.map((name) => [scalarText(name), entry()]) : []);
  };
}

/** Options merge only while the driver stays the same. */
const mergeLogging: Merger = (base, over, context) => {
  if (!isMap(base) || !isMap(over)) return over;
  const [was, is] = [base.get('driver'), over.get('driver')];
  return was === is || was === undefined || is === undefined ? mergeMappings(base, over, context) : over;
};

const mergeUlimit: Merger = (base, over, context) =>
  isMap(base) && isMap(over) ? mergeMappings(base, over, context) : over;

/** Address pools merge by subnet. */
const mergePools: Merger = (base, over, context) => {
  if (!isList(base) || !isList(over))
    throw context.sources.error(`${context.path.join('.')}: unexpected type`, context.path);
  const merged = [...base];
  for (const pool of over) {
    const subnet = isMap(pool) ? pool.get('subnet') : undefined;
    const index = merged.findIndex((entry) => isMap(entry) && entry.get('subnet') === subnet);
    const existing = merged[index];
    if (isMap(existing) && isMap(pool)) merged[index] = mergeMappings(existing, pool, { ...context, rules: undefined });
    else merged.push(pool);
  }
  return merged;
};

/** Rules that differ from "null says nothing, mappings key by key, lists appended, otherwise the later one". */
const mergers = pathRules<Merger>({
  'networks.*.ipam.config': mergePools,
  'networks.*.labels': append,
  'volumes.*.labels': append,
  'services.*.annotations': append,
  'services.*.build': asMapping((value) =>
    isMap(value) ? value : treeMap({ context: typeof value === 'string' ? value : undefined }),
  ),
  'services.*.build.args': append,
  'services.*.build.additional_contexts': append,
  'services.*.build.extra_hosts': appendNew,
  'services.*.build.labels': append,
  'services.*.command': replace,
  'services.*.depends_on': asMapping(namesTo(() => treeMap({ condition: 'service_started', required: true }))),
  'services.*.deploy.labels': append,
  'services.*.dns': append,
  'services.*.dns_opt': append,
  'services.*.dns_search': append,
  'services.*.entrypoint': replace,
  'services.*.env_file': append,
  'services.*.label_file': append,
  'services.*.environment': append,
  'services.*.extra_hosts': appendNew,
  'services.*.healthcheck.test': replace,
  'services.*.labels': append,
  'services.*.volumes.*.volume.labels': append,
  'services.*.logging': mergeLogging,
  'services.*.models': asMapping(namesTo(() => null)),
  'services.*.networks': asMapping(namesTo(() => null)),
  'services.*.sysctls': append,
  'services.*.tmpfs': append,
  'services.*.ulimits.*': mergeUlimit,
});

/**
 * Merges `over` into `base` (which is changed) by Compose's rules for several files, and returns the result.
 * Throws `invalid` where a mapping or list would be replaced by something else.
 */
export function mergeModels(base: TreeMap, over: TreeMap, sources: Sources): TreeMap {
  return mergeMappings(base, over, { path: [], rules: mergers, sources });
}

/** As {@link mergeModels}, for a service that extends `base`. */
export function mergeServices(base: TreeMap, over: TreeMap, sources: Sources): TreeMap {
  const rules = ruleAt(ruleAt(mergers, 'services'), 'x');
  return mergeMappings(base, over, { path: ['services', 'x'], rules, sources });
}

/** Drops what `path` names, if it is there. */
export function resetPath(tree: TreeMap, path: Path): void {
  let node: Tree = tree;
  for (const key of path.slice(0, -1)) {
    const next: Tree | undefined = isMap(node) ? node.get(key) : isList(node) ? node[Number(key)] : undefined;
    if (next === undefined) return;
    node = next;
  }
  if (isMap(node)) node.delete(path.at(-1) ?? '');
}
