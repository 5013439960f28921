import { pathRules, type RuleNode, ruleAt } from './path-rules.ts';
import { isList, isMap, type Tree, type TreeMap } from './tree.ts';

type Fill = (value: TreeMap) => void;

function setIfMissing(map: TreeMap, key: string, value: Tree): void {
  if (!map.has(key)) map.set(key, value);
}

const deviceCount: Fill = (device) => {
  if (!device.has('count') && !device.has('device_ids')) device.set('count', 'all');
};

const fills = pathRules<Fill>({
  'services.*.build': (build) => setIfMissing(build, 'context', '.'),
  'services.*.secrets.*': (secret) => setIfMissing(secret, 'target', `/run/secrets/${String(secret.get('source'))}`),
  'services.*.ports.*': (port) => {
    setIfMissing(port, 'protocol', 'tcp');
    setIfMissing(port, 'mode', 'ingress');
  },
  'services.*.deploy.resources.reservations.devices.*': deviceCount,
  'services.*.gpus.*': deviceCount,
});

function walk(value: Tree, rules: RuleNode<Fill>): void {
  if (isMap(value)) {
    rules.rule?.(value);
    for (const [key, entry] of value) {
      const next = ruleAt(rules, key);
      if (next) walk(entry, next);
    }
  } else if (isList(value)) {
    const next = ruleAt(rules, '0');
    if (next) for (const entry of value) walk(entry, next);
  }
}

/** Fills in what the long forms leave out: the build context, a secret's target, a port's protocol and so on. */
export function setDefaults(model: TreeMap): void {
  walk(model, fills);
}
