import { posix } from 'node:path';
import { invalid, isBerthError } from '#base';
import { pathRules, type RuleNode, ruleAt } from './path-rules.ts';
import { type PortSpec, parsePortSpec } from './port-spec.ts';
import type { Sources } from './sources.ts';
import { goTypeOf, isList, isMap, type Path, scalarText, type Tree, type TreeMap, treeMap } from './tree.ts';
import { parseVolumeSpec } from './volume-spec.ts';

interface CanonicalContext {
  path: Path;
  /** False keeps what does not parse, because it still holds variables. */
  strict: boolean;
  sources: Sources;
  warn(message: string): void;
}

/** Turns a short form into the long one; what is below is visited afterwards. */
type Expand = (value: Tree, context: CanonicalContext) => Tree;

function wrongType(value: Tree, { path, sources }: CanonicalContext, what: string): Error {
  return sources.error(`${path.join('.')}: invalid type ${goTypeOf(value)} for ${what}`, path);
}

const listOf: Expand = (value) => (typeof value === 'string' ? [value] : value);
const named =
  (key: string): Expand =>
  (value) =>
    typeof value === 'string' ? treeMap({ [key]: value }) : value;

const keyValues: Expand = (value, { path, sources }) => {
  if (!isList(value)) return value;
  const map: TreeMap = new Map();
  for (const entry of value) {
    const text = scalarText(entry);
    const equals = text.indexOf('=');
    if (equals === -1) throw sources.error(`${path.join('.')}: invalid value ${text}, expected key=value`, path);
    map.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return map;
};

const dependencies: Expand = (value, context) => {
  if (isList(value)) {
    return new Map(value.map((name) => [scalarText(name), treeMap({ condition: 'service_started', required: true })]));
  }
  if (!isMap(value)) throw wrongType(value, context, 'depend_on');
  for (const entry of value.values()) if (isMap(entry) && !entry.has('required')) entry.set('required', true);
  return value;
};

const envFiles: Expand = (value) => {
  const list = isList(value) ? value : [value];
  return list.map((entry) => {
    const file = isMap(entry) ? entry : treeMap({ path: entry });
    if (!file.has('required')) file.set('required', true);
    return file;
  });
};

const namesToNull: Expand = (value) => (isList(value) ? new Map(value.map((name) => [scalarText(name), null])) : value);

const gpus: Expand = (value) => (value === 'all' ? [treeMap({ count: 'all' })] : value);

const device: Expand = (value, { path, sources, strict }) => {
  if (typeof value !== 'string') return value;
  const [source = '', target = '', permissions = 'rwm', extra] = value.split(':');
  if (extra === undefined) return treeMap({ source, target: target || source, permissions });
  if (strict) throw sources.error(`confusing device mapping, please use long syntax: ${value}`, path);
  return treeMap({ source: '', target: '', permissions: 'rwm' });
};

const volume: Expand = (value, context) => {
  if (isMap(value)) return value;
  if (typeof value !== 'string') throw wrongType(value, context, 'service volume mount');
  const spec = context.sources.locating(context.path, () => parseVolumeSpec(value));
  const options = spec.propagation !== undefined || spec.selinux !== undefined || spec.type === 'bind';
  return treeMap({
    type: spec.type,
    source: spec.source,
    target: posix.normalize(spec.target).replace(/(.)\/$/, '$1'),
    read_only: spec.readOnly || undefined,
    bind: options
      ? treeMap({
          selinux: spec.selinux,
          propagation: spec.propagation,
          create_host_path: spec.type === 'bind' || undefined,
        })
      : undefined,
    volume:
      spec.isBare || (spec.type === 'bind' && !spec.nocopy) ? undefined : treeMap({ nocopy: spec.nocopy || undefined }),
  });
};

/** Ports in long form; as they are when one does not parse and that may be for want of its variables. */
const ports: Expand = (value, context) => {
  if (!isList(value)) throw wrongType(value, context, 'port');
  const long: Tree[] = [];
  for (const [index, entry] of value.entries()) {
    if (isMap(entry)) {
      long.push(entry);
      continue;
    }
    if (typeof entry !== 'string' && goTypeOf(entry) !== 'int') throw wrongType(entry, context, 'port');
    try {
      long.push(...parsePortSpec(scalarText(entry)).map(longPort));
    } catch (error) {
      if (!isBerthError(error, 'invalid')) throw error;
      if (!context.strict) return value;
      throw context.sources.error(error.message, [...context.path, String(index)], { cause: error });
    }
  }
  return long;
};

function longPort({ hostIp, target, published, protocol }: PortSpec): Tree {
  return treeMap({ mode: 'ingress', host_ip: hostIp, target: target || undefined, published, protocol });
}

/** Keys by their names; null is that of the user's agent. */
const ssh: Expand = (value, { path, sources }) => {
  if (isMap(value)) return value;
  const keys: TreeMap = new Map();
  for (const [index, key] of (isList(value) ? value : [value]).entries()) {
    const text = scalarText(key);
    const equals = text.indexOf('=');
    if (equals === -1 && text !== 'default') {
      throw sources.error(`invalid ssh key ${JSON.stringify(text)}`, [...path, String(index)]);
    }
    keys.set(equals === -1 ? text : text.slice(0, equals), equals === -1 ? null : text.slice(equals + 1));
  }
  return keys;
};

/** `external: {name: X}` of old files becomes `external: true` and `name: X`. */
const external: Expand = (value, { path, sources, warn }) => {
  if (!isMap(value)) return value;
  const old = value.get('external');
  if (!isMap(old)) return value;
  const at = path.join('.');
  const name = old.get('name');
  if (name !== undefined) warn(`${at}: external.name is deprecated. Please set name and external: true`);
  if (name !== undefined && value.has('name') && value.get('name') !== name) {
    throw sources.error(`${at}: name and external.name conflict; only use name`, path);
  }
  if (name !== undefined) value.set('name', name);
  value.set('external', true);
  return value;
};

/** An attestation is text, also where it is only on or off. */
const attestation: Expand = (value) => (typeof value === 'boolean' ? String(value) : value);

/** A limit must be a number by now, or a mapping of two. */
const ulimit: Expand = (value, { path, sources }) => {
  if (isMap(value) || goTypeOf(value) === 'int') return value;
  throw sources.error(`${path.join('.')}: invalid type ${goTypeOf(value)} for external`, path);
};

const expansions = pathRules<Expand>({
  'services.*.build.secrets.*': named('source'),
  'services.*.build.additional_contexts': keyValues,
  'services.*.depends_on': dependencies,
  'services.*.env_file': envFiles,
  'services.*.label_file': listOf,
  'services.*.extends': named('service'),
  'services.*.gpus': gpus,
  'services.*.networks': namesToNull,
  'services.*.models': namesToNull,
  'services.*.volumes.*': volume,
  'services.*.dns': listOf,
  'services.*.develop.watch.*.ignore': listOf,
  'services.*.develop.watch.*.include': listOf,
  'services.*.devices.*': device,
  'services.*.secrets.*': named('source'),
  'services.*.configs.*': named('source'),
  'services.*.ports': ports,
  'services.*.build': named('context'),
  'services.*.build.ssh': ssh,
  'services.*.build.provenance': attestation,
  'services.*.build.sbom': attestation,
  'services.*.build.ulimits.*': ulimit,
  'services.*.ulimits.*': ulimit,
  'volumes.*': external,
  'networks.*': external,
  'secrets.*': external,
  'configs.*': external,
});

function walk(value: Tree, rules: RuleNode<Expand>, context: CanonicalContext): Tree {
  const expanded = rules.rule ? rules.rule(value, context) : value;
  if (isList(expanded)) {
    return expanded.map((entry, index) => {
      const next = ruleAt(rules, String(index));
      return next ? walk(entry, next, { ...context, path: [...context.path, String(index)] }) : entry;
    });
  }
  if (!isMap(expanded)) return expanded;
  for (const [key, entry] of expanded) {
    const next = ruleAt(rules, key);
    if (!next || entry === null) continue;
    expanded.set(key, walk(entry, next, { ...context, path: [...context.path, key] }));
  }
  return expanded;
}

/** What {@link canonicalise} needs beside the model. */
export interface CanonicalOptions {
  sources: Sources;
  /** False keeps ports that do not parse because their variables were not replaced. */
  strict: boolean;
  /** Told of deprecated forms. */
  warn(message: string): void;
}

/**
 * Replaces the short forms of a merged model by long ones: ports, volumes, devices, `build`, `depends_on`, networks,
 * `env_file` and so on. Changes `model`. Throws `invalid` for what does not parse.
 */
export function canonicalise(model: TreeMap, options: CanonicalOptions): void {
  const services = model.get('services');
  if (services !== undefined && services !== null && !isMap(services)) throw invalid('services must be a mapping');
  walk(model, expansions, { ...options, path: [] });
}
