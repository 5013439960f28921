import { lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { IgnoreMatcher, type IgnoreRule } from '#base';

/** Removes from the unpacked context at `root` what the rules leave out. Synchronous: for worker threads. */
export function dropIgnored(root: string, rules: readonly IgnoreRule[]): void {
  const matcher = new IgnoreMatcher(rules);
  const visit = (directory: string, below: string) => {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const inside = below === '' ? name : `${below}/${name}`;
      const ignored = matcher.ignores(inside);
      if (!lstatSync(path).isDirectory()) {
        if (ignored) rmSync(path);
      } else if (ignored && !matcher.hasKeeps) rmSync(path, { recursive: true });
      else {
        visit(path, inside);
        if (ignored && readdirSync(path).length === 0) rmdirSync(path);
      }
    }
  };
  visit(root, '');
}
