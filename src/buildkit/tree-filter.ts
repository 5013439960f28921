import { IgnoreMatcher, parseIgnoreRule } from '#base';

function matcherOf(patterns: readonly string[]): IgnoreMatcher {
  return new IgnoreMatcher(patterns.flatMap((pattern) => parseIgnoreRule(pattern) ?? []));
}

const within = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

/** The leading components of a pattern that stand for themselves, and whether others follow. */
function literalHead(pattern: string): { head: string; open: boolean } {
  const parts = pattern.split('/');
  const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
  return wild === -1 ? { head: pattern, open: false } : { head: parts.slice(0, wild).join('/'), open: true };
}

/**
 * Decides which paths of a tree are sent: those that the include patterns match (all, when there are none) and the exclude
 * patterns do not. Patterns are those of a `.dockerignore`; one that matches a directory matches what is below it.
 */
export class TreeFilter {
  readonly #include: IgnoreMatcher | undefined;
  readonly #exclude: IgnoreMatcher;
  readonly #heads: readonly { readonly head: string; readonly open: boolean }[];

  /** Throws `invalid` for a malformed pattern. */
  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#include = include.length === 0 ? undefined : matcherOf(include);
    this.#exclude = matcherOf(exclude);
    this.#heads = include.filter((pattern) => !pattern.startsWith('!')).map(literalHead);
  }

  /** `path` is relative, with slashes. */
  sends(path: string): boolean {
    return (this.#include?.ignores(path) ?? true) && !this.#exclude.ignores(path);
  }

  /** Whether something below a directory may be sent; where this says no, the directory need not be read. */
  entersDirectory(path: string): boolean {
    if (!this.#exclude.hasKeeps && this.#exclude.ignores(path)) return false;
    if (this.#include === undefined || this.#include.ignores(path)) return true;
    return this.#heads.some(({ head, open }) => within(head, path) || head === '' || (open && within(path, head)));
  }
}
