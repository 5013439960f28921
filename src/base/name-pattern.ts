/** Longest pattern that is looked at; names are shorter. */
const LONGEST = 256;
/** How many repetitions a pattern may have: with each, the worst case takes a power of the name's length more. */
const MOST_REPETITIONS = 2;

/**
 * Whether a name matches what a user wrote into a filter: a regular expression, found anywhere in it unless anchored. What
 * is none matches nothing, and so does one that could keep the engine busy: a repeated group, or many repetitions.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  if (pattern.length > LONGEST) return false;
  const plain = pattern.replace(/\\./g, 'x').replace(/\[\^?\]?[^\]]*\]/g, 'x');
  if (/\)[*+?{]/.test(plain) || (plain.match(/[*+?{]/g)?.length ?? 0) > MOST_REPETITIONS) return false;
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return false;
  }
}
