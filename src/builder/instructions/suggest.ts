/** The option nearest to `word` by edit distance, if it is at most two edits away and not `word` itself. */
export function suggest(word: string, options: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const option of options) {
    const distance = editDistance(word.toLowerCase(), option.toLowerCase());
    if (distance === 0) return undefined;
    if (distance < least) {
      least = distance;
      best = option;
    }
  }
  return best;
}

/** ` (did you mean X?)`, or nothing. */
export function suggestionText(word: string, options: readonly string[]): string {
  const found = suggest(word, options);
  return found === undefined ? '' : ` (did you mean ${found}?)`;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
