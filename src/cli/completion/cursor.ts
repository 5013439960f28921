import type { FlagSpec } from '../flags/index.ts';

/** What is being typed, seen from the flags of one command. */
export type Cursor =
  | { readonly at: 'flag'; readonly positional: readonly string[] }
  /** The value of a flag; `prefix` is what stands before it in the same word, such as `--name=`. */
  | { readonly at: 'value'; readonly spec: FlagSpec; readonly prefix: string; readonly positional: readonly string[] }
  | { readonly at: 'argument'; readonly positional: readonly string[] };

/**
 * Where the last of `words` is, read as {@link parseFlags} would read them but forgiving what is wrong or unfinished.
 * `words` holds at least the word that is being typed, empty where it has not begun. With `interspersed` false the first argument ends the flags.
 */
export function findCursor(
  words: readonly string[],
  { specs, interspersed = true }: { specs: readonly FlagSpec[]; interspersed?: boolean },
): Cursor {
  const positional: string[] = [];
  const typed = words.at(-1) ?? '';
  let pending: FlagSpec | undefined;
  let flagsEnded = false;
  for (const word of words.slice(0, -1)) {
    if (pending !== undefined) pending = undefined;
    else if (!flagsEnded && word === '--') flagsEnded = true;
    else if (!flagsEnded && word.startsWith('-') && word !== '-') pending = wantsNext(word, specs);
    else {
      positional.push(word);
      flagsEnded ||= !interspersed;
    }
  }
  if (pending !== undefined) return { at: 'value', spec: pending, prefix: '', positional };
  if (flagsEnded || !typed.startsWith('-')) return { at: 'argument', positional };
  const equals = typed.indexOf('=');
  if (equals === -1) return { at: 'flag', positional };
  const spec = specs.find(({ name }) => typed.slice(0, equals) === `--${name}`);
  if (spec === undefined) return { at: 'argument', positional };
  return { at: 'value', spec, prefix: typed.slice(0, equals + 1), positional };
}

/** The flag whose value the next word is; undefined for switches, unknown flags and those that bring their value along. */
function wantsNext(word: string, specs: readonly FlagSpec[]): FlagSpec | undefined {
  if (word.includes('=')) return undefined;
  // Of letters in one word the last alone can want more: one before it would have taken the rest as its value.
  const spec = word.startsWith('--')
    ? specs.find(({ name }) => name === word.slice(2))
    : shorthand(word.slice(1), specs);
  return spec === undefined || spec.kind === 'bool' ? undefined : spec;
}

function shorthand(letters: string, specs: readonly FlagSpec[]): FlagSpec | undefined {
  for (const [index, letter] of [...letters].entries()) {
    const spec = specs.find((candidate) => candidate.shorthand === letter);
    if (spec === undefined) return undefined;
    if (spec.kind !== 'bool') return index === letters.length - 1 ? spec : undefined;
  }
  return undefined;
}
