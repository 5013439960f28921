import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { compilePathPattern, hasWildcard, invalid, notFound } from '#base';
import type { Match } from './match.ts';
import { resolveInRoot } from './root-path.ts';

/**
 * Finds what `patterns` name inside `root`, in order, matches of one pattern sorted. Links in the named path are
 * followed inside `root`. Throws `not-found` with Docker's texts for a path that is not there, `invalid` for a malformed
 * pattern or one that matches nothing. Synchronous: for worker threads.
 */
export function listMatches(root: string, patterns: readonly string[], options: { context: boolean }): Match[] {
  return patterns.flatMap((pattern) => {
    const path = cleanPath(pattern);
    if (hasWildcard(path)) return globMatches(root, path);
    const match = asMatch(root, path);
    if (match) return [match];
    const where = options.context ? 'file not found in build context or excluded by .dockerignore: ' : '';
    throw notFound(`${where}stat ${path}: file does not exist`);
  });
}

/** The path inside the root, where `..` cannot climb and `/./` (the pivot of --parents) is kept by the caller. */
function cleanPath(path: string): string {
  return posix.resolve('/', path).slice(1);
}

function asMatch(root: string, path: string): Match | undefined {
  try {
    return { root, path, directory: statSync(resolveInRoot(root, path)).isDirectory() };
  } catch {
    return undefined;
  }
}

function globMatches(root: string, pattern: string): Match[] {
  let found = [''];
  for (const part of pattern.split('/')) {
    if (!hasWildcard(part)) {
      const literal = part.replace(/\\(.)/g, '$1');
      found = found.map((base) => posix.join(base, literal)).filter((path) => exists(root, path));
      continue;
    }
    const expression = compilePathPattern(part);
    if (expression === undefined) throw invalid(`syntax error in pattern: ${pattern}`);
    found = found.flatMap((base) =>
      namesIn(root, base)
        .filter((name) => expression.test(name))
        .map((name) => posix.join(base, name)),
    );
  }
  const matches = found
    .sort()
    .map((path) => asMatch(root, path))
    .filter((match) => match !== undefined);
  if (matches.length === 0) throw notFound(`no source files were specified: ${pattern} matches nothing`);
  return matches;
}

function exists(root: string, path: string): boolean {
  return lstatSync(resolveInRoot(root, path), { throwIfNoEntry: false }) !== undefined;
}

function namesIn(root: string, path: string): string[] {
  const directory = path === '' ? root : join(resolveInRoot(root, path));
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
