import { isIP } from 'node:net';
import { pathRules, type RuleNode, ruleAt } from './path-rules.ts';
import type { Sources } from './sources.ts';
import { isList, isMap, type Path, type Tree, type TreeMap } from './tree.ts';

/** Returns what is wrong with a value, in words that follow its path. */
type Check = (value: Tree) => string | undefined;

const fileObject =
  (...keys: string[]): Check =>
  (value) => {
    if (!isMap(value)) return undefined;
    const count = keys.filter((key) => value.has(key)).length;
    if (count > 1) return `${keys.join('|')} attributes are mutually exclusive`;
    return count === 1 || value.has('driver') || value.has('external')
      ? undefined
      : `one of ${keys.join('|')} must be set`;
  };

const externalVolume: Check = (value) => {
  if (!isMap(value) || value.get('external') !== true) return undefined;
  const other = [...value.keys()].find((key) => key !== 'name' && key !== 'external' && !key.startsWith('x-'));
  return other && `conflicting parameters "external" and "${other}" specified`;
};

const deviceRequest: Check = (value) =>
  isMap(value) && value.has('count') && value.has('device_ids')
    ? '"count" and "device_ids" attributes are exclusive'
    : undefined;

const hostAddress: Check = (value) => {
  const address = isMap(value) ? value.get('host_ip') : undefined;
  return typeof address === 'string' && isIP(address) === 0 ? `invalid ip address: ${address}` : undefined;
};

const notBlank: Check = (value) => (value === '' ? "value can't be blank" : undefined);

const checks = pathRules<Check>({
  'volumes.*': externalVolume,
  'configs.*': fileObject('file', 'environment', 'content'),
  'secrets.*': fileObject('file', 'environment'),
  'services.*.ports.*': hostAddress,
  'services.*.develop.watch.*.path': notBlank,
  'services.*.deploy.resources.reservations.devices.*': deviceRequest,
  'services.*.gpus.*': deviceRequest,
});

/** Where a value is: for the place in the file, and as messages show it, where positions in lists are not told. */
interface Place {
  path: Path;
  shown: Path;
}

function walk(value: Tree, { path, shown }: Place, rules: RuleNode<Check>, sources: Sources): void {
  const fault = rules.rule?.(value);
  if (fault) throw sources.error(`${shown.join('.')}: ${fault}`, path);
  const entries: Iterable<[string | number, Tree]> = isMap(value) ? value : isList(value) ? value.entries() : [];
  for (const [index, entry] of entries) {
    const key = String(index);
    const next = ruleAt(rules, key);
    if (next) walk(entry, { path: [...path, key], shown: [...shown, isMap(value) ? key : '[]'] }, next, sources);
  }
}

/** Checks rules of a merged, canonical model that the schema cannot say. Throws `invalid` with path and line. */
export function validateModel(model: TreeMap, sources: Sources): void {
  walk(model, { path: [], shown: [] }, checks, sources);
}
