import { isBerthError, messageOf } from '#base';
import { type Cast, toBoolean, toInteger, toInteger64, toNumber } from './cast.ts';
import { pathRules, type RuleNode, ruleAt } from './path-rules.ts';
import type { Sources } from './sources.ts';
import { substitute, TemplateSyntaxError, type Variables } from './template.ts';
import { isList, isMap, type Path, type Tree } from './tree.ts';

/** Keys whose text, interpolated or not, becomes a boolean or a number before the schema sees it. */
const casts = pathRules<Cast>({
  'services.*.cpu_count': toInteger64,
  'services.*.cpu_percent': toNumber,
  'services.*.cpu_period': toInteger64,
  'services.*.cpu_quota': toInteger64,
  'services.*.cpu_rt_period': toInteger64,
  'services.*.cpu_rt_runtime': toInteger64,
  'services.*.cpus': toNumber,
  'services.*.cpu_shares': toInteger64,
  'services.*.init': toBoolean,
  'services.*.deploy.replicas': toInteger,
  'services.*.deploy.update_config.parallelism': toInteger,
  'services.*.deploy.update_config.max_failure_ratio': toNumber,
  'services.*.deploy.rollback_config.parallelism': toInteger,
  'services.*.deploy.rollback_config.max_failure_ratio': toNumber,
  'services.*.deploy.restart_policy.max_attempts': toInteger,
  'services.*.deploy.placement.max_replicas_per_node': toInteger,
  'services.*.healthcheck.retries': toInteger,
  'services.*.healthcheck.disable': toBoolean,
  'services.*.oom_kill_disable': toBoolean,
  'services.*.oom_score_adj': toInteger64,
  'services.*.pids_limit': toInteger64,
  'services.*.ports.*.target': toInteger,
  'services.*.privileged': toBoolean,
  'services.*.read_only': toBoolean,
  'services.*.scale': toInteger,
  'services.*.stdin_open': toBoolean,
  'services.*.tty': toBoolean,
  'services.*.ulimits.*': toInteger,
  'services.*.ulimits.*.hard': toInteger,
  'services.*.ulimits.*.soft': toInteger,
  'services.*.volumes.*.read_only': toBoolean,
  'services.*.volumes.*.volume.nocopy': toBoolean,
  'networks.*.external': toBoolean,
  'networks.*.internal': toBoolean,
  'networks.*.attachable': toBoolean,
  'networks.*.enable_ipv4': toBoolean,
  'networks.*.enable_ipv6': toBoolean,
  'volumes.*.external': toBoolean,
  'secrets.*.external': toBoolean,
  'configs.*.external': toBoolean,
});

/** What {@link interpolate} needs beside the tree. */
export interface Interpolation {
  variables: Variables;
  /** Names the place of an error. */
  sources: Sources;
  warn(message: string): void;
}

/** A path as messages of interpolation show it: positions in lists, which begin with a bracket, are not told. */
function shown(path: Path): string {
  return path.map((key) => (key.startsWith('[') ? '[]' : key)).join('.');
}

/** The same path as other messages know it. */
function plainPath(path: Path): Path {
  return path.map((key) => key.replace(/^\[(\d+)$/, '$1'));
}

function interpolateText(text: string, cast: Cast | undefined, path: Path, context: Interpolation): Tree {
  try {
    const value = text.includes('$') ? substitute(text, context.variables) : text;
    if (cast === undefined) return value;
    try {
      return cast(value, context.warn);
    } catch (error) {
      const message = `error while interpolating ${shown(path)}: failed to cast to expected type: ${messageOf(error)}`;
      throw context.sources.error(message, plainPath(path), { cause: error });
    }
  } catch (error) {
    if (error instanceof TemplateSyntaxError) {
      const advice = 'You may need to escape any $ with another $.';
      const message = `invalid interpolation format for ${shown(path)}.\n${advice}\n${text}`;
      throw context.sources.error(message, plainPath(path), { cause: error });
    }
    if (!isBerthError(error) || error.details.path !== undefined) throw error;
    throw context.sources.error(`error while interpolating ${shown(path)}: ${error.message}`, plainPath(path), {
      cause: error,
    });
  }
}

function walk(value: Tree, path: string[], rules: RuleNode<Cast> | undefined, context: Interpolation): Tree {
  if (typeof value === 'string') {
    return rules?.rule || value.includes('$') ? interpolateText(value, rules?.rule, path, context) : value;
  }
  if (isList(value)) {
    return value.map((item, index) => {
      const key = String(index);
      path.push(`[${key}`);
      const result = walk(item, path, ruleAt(rules, key), context);
      path.pop();
      return result;
    });
  }
  if (!isMap(value)) return value;
  for (const [key, entry] of value) {
    path.push(key);
    value.set(key, walk(entry, path, ruleAt(rules, key), context));
    path.pop();
  }
  return value;
}

/**
 * Replaces variables in every value (never in keys), and turns text into numbers and booleans where the key asks.
 * Changes mappings in place and returns the tree. Throws `invalid` with the path and, where known, the line.
 */
export function interpolate(tree: Tree, context: Interpolation, path: Path = []): Tree {
  const rules = path.reduce<RuleNode<Cast> | undefined>(ruleAt, casts);
  return walk(tree, [...path], rules, context);
}
