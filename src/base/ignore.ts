import { posix } from 'node:path';
import { invalid } from './errors.ts';
import { compilePathPattern } from './path-pattern.ts';

/** One line of a `.dockerignore`. */
export interface IgnoreRule {
  /** The cleaned pattern without `!`, no slash in front. */
  readonly pattern: string;
  /** True for `!pattern`: what it matches is kept. */
  readonly keep: boolean;
}

/** Reads a `.dockerignore`: comments in the first column, blanks trimmed, paths cleaned. */
export function parseDockerignore(text: string): IgnoreRule[] {
  const rules: IgnoreRule[] = [];
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const rule = parseIgnoreRule(line);
    if (rule) rules.push(rule);
  }
  return rules;
}

/** Reads one pattern, as in `.dockerignore` or `--exclude`; undefined for an empty one. Throws `invalid` for a lone `!`. */
export function parseIgnoreRule(line: string): IgnoreRule | undefined {
  const text = line.trim();
  if (text === '') return undefined;
  const keep = text.startsWith('!');
  const bare = keep ? text.slice(1).trim() : text;
  if (bare === '') throw invalid('illegal exclusion pattern: "!"');
  const cleaned = posix.normalize(bare).replace(/\/$/, '');
  const pattern = cleaned.length > 1 ? cleaned.replace(/^\//, '') : cleaned;
  return { pattern: pattern === '' ? '.' : pattern, keep };
}

/** Decides which paths a list of rules leaves out. The last rule that matches a path, or a directory above it, wins. */
export class IgnoreMatcher {
  readonly #rules: readonly { keep: boolean; expression: RegExp }[];
  /** True when some rule keeps: then ignored directories must still be looked into. */
  readonly hasKeeps: boolean;

  /** Throws `invalid` for a malformed pattern. */
  constructor(rules: readonly IgnoreRule[]) {
    this.#rules = rules.map(({ pattern, keep }) => {
      const expression = compilePathPattern(pattern, { doubleStar: true });
      if (expression === undefined)
        throw invalid(`failed to parse ignore pattern "${pattern}": syntax error in pattern`);
      return { keep, expression };
    });
    this.hasKeeps = rules.some((rule) => rule.keep);
  }

  /** `path` is relative with slashes, as `src/a.js`. */
  ignores(path: string): boolean {
    const chain = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    let ignored = false;
    for (const rule of this.#rules) {
      if (rule.keep === ignored && chain.some((part) => rule.expression.test(part))) ignored = !rule.keep;
    }
    return ignored;
  }
}
