/** One step of a set of rules: what applies here, and what may follow. */
export interface RuleNode<T> {
  readonly rule?: T;
  readonly keys: ReadonlyMap<string, RuleNode<T>>;
  /** The step for any key, written `*`. */
  readonly any?: RuleNode<T>;
}

interface GrowingNode<T> {
  rule?: T;
  keys: Map<string, GrowingNode<T>>;
  any?: GrowingNode<T>;
}

/**
 * Makes rules from patterns such as `services.*.build.args`. Walking a tree and the rules side by side with
 * {@link ruleAt} finds the rule of each place without comparing patterns, and shows at once where none can follow.
 */
export function pathRules<T>(patterns: Readonly<Record<string, T>>): RuleNode<T> {
  const root: GrowingNode<T> = { keys: new Map() };
  for (const [pattern, rule] of Object.entries(patterns)) {
    let node = root;
    for (const key of pattern.split('.')) {
      let next = key === '*' ? node.any : node.keys.get(key);
      if (next === undefined) {
        next = { keys: new Map() };
        if (key === '*') node.any = next;
        else node.keys.set(key, next);
      }
      node = next;
    }
    node.rule = rule;
  }
  return root;
}

/** The step for `key`; undefined when no rule can follow. */
export function ruleAt<T>(node: RuleNode<T> | undefined, key: string): RuleNode<T> | undefined {
  return node?.keys.get(key) ?? node?.any;
}
