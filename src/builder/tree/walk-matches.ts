import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { IgnoreMatcher, parseIgnoreRule } from '#base';
import type { Match, MatchView } from './match.ts';
import { resolveInRoot } from './root-path.ts';

/** One entry that a copy brings: where it is and what it is called below the destination. */
export interface WalkedEntry {
  readonly source: string;
  /** Relative to the destination directory; empty for the contents' root of a directory source. */
  readonly name: string;
  readonly stats: Stats;
}

/** Walks all entries of the matches, directories before what is in them, names sorted. */
export function* walkMatches(view: MatchView): Generator<WalkedEntry> {
  const rules = view.exclude.map((line) => parseIgnoreRule(line)).filter((rule) => rule !== undefined);
  const ignore = rules.length === 0 ? undefined : new IgnoreMatcher(rules);
  for (const match of view.matches) {
    const source = resolveInRoot(match.root, match.path);
    const name = entryName(match, view.parents);
    if (ignore && !match.directory && ignore.ignores(match.path)) continue;
    yield* walkEntry(source, name, '', ignore);
  }
}

function entryName(match: Match, parents: boolean): string {
  if (parents) return match.path;
  return match.directory ? '' : basename(match.path);
}

function* walkEntry(
  source: string,
  name: string,
  below: string,
  ignore: IgnoreMatcher | undefined,
): Generator<WalkedEntry> {
  const stats = lstatSync(source);
  const left = below !== '' && (ignore?.ignores(below) ?? false);
  if (!left) yield { source, name, stats };
  if (!stats.isDirectory() || (left && !ignore?.hasKeeps)) return;
  for (const child of readdirSync(source).sort()) {
    yield* walkEntry(join(source, child), posix.join(name, child), posix.join(below, child), ignore);
  }
}
