/** Edits between two words, where a letter put in, left out or replaced counts one, and so do two neighbours swapped. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/**
 * The known word that a mistyped one most likely means, if one is near enough: a word it begins, or one about a third of
 * its letters away. Among equally near ones the one with the same first letter wins, then the earlier in `known`.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word === '') return undefined;
  const ranked = known
    .map((name) => ({
      name,
      far: name.startsWith(word) ? 1 : distance(word, name),
      other: name[0] === word[0] ? 0 : 1,
    }))
    .sort((a, b) => a.far - b.far || a.other - b.other);
  const best = ranked[0];
  return best !== undefined && best.far <= Math.max(1, Math.floor(word.length / 3)) ? best.name : undefined;
}
