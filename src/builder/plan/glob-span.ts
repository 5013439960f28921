/** One element of a shell pattern: a literal character, any one character, or any run of characters. */
type Element = { readonly literal: string } | 'one' | 'many';

/** A compiled shell pattern (`*`, `?`, backslash escapes) that is matched without backtracking, in bounded time. */
class GlobSpan {
  readonly #elements: readonly Element[];

  constructor(pattern: string) {
    const elements: Element[] = [];
    for (let at = 0; at < pattern.length; at++) {
      const char = pattern.charAt(at);
      if (char === '*') elements.push('many');
      else if (char === '?') elements.push('one');
      else if (char === '\\' && at + 1 < pattern.length) elements.push({ literal: pattern.charAt(++at) });
      else elements.push({ literal: char });
    }
    this.#elements = elements;
  }

  /** Lengths of the shortest and longest stretch of `text` from `start` on that match; undefined when none does. */
  match(text: string, start = 0): { shortest: number; longest: number } | undefined {
    let states = this.#closure(new Set([0]));
    let shortest: number | undefined;
    let longest = 0;
    for (let at = start; ; at++) {
      if (states.has(this.#elements.length)) {
        shortest ??= at - start;
        longest = at - start;
      }
      if (at >= text.length || states.size === 0) break;
      states = this.#closure(this.#step(states, text.charAt(at)));
    }
    return shortest === undefined ? undefined : { shortest, longest };
  }

  #step(states: ReadonlySet<number>, char: string): Set<number> {
    const next = new Set<number>();
    for (const state of states) {
      const element = this.#elements[state];
      if (element === 'many') next.add(state);
      else if (element === 'one' || (element !== undefined && element.literal === char)) next.add(state + 1);
    }
    return next;
  }

  #closure(states: Set<number>): Set<number> {
    for (const state of states) if (this.#elements[state] === 'many') states.add(state + 1);
    return states;
  }
}

/** `${x#pattern}`, and `##` when `longest`: `value` without the matching beginning. */
export function trimStart(value: string, pattern: string, longest: boolean): string {
  const span = new GlobSpan(pattern).match(value);
  return span === undefined ? value : value.slice(longest ? span.longest : span.shortest);
}

/** `${x%pattern}`, and `%%` when `longest`: `value` without the matching end. */
export function trimEnd(value: string, pattern: string, longest: boolean): string {
  const glob = new GlobSpan(pattern);
  const starts = Array.from({ length: value.length + 1 }, (_, index) => (longest ? index : value.length - index));
  for (const start of starts) {
    if (glob.match(value, start)?.longest === value.length - start) return value.slice(0, start);
  }
  return value;
}

/** `${x/pattern/text}`, and `//` when `all`: the first or each longest match replaced. */
export function replaceMatches(value: string, pattern: string, text: string, all: boolean): string {
  const glob = new GlobSpan(pattern);
  let result = '';
  let at = 0;
  while (at < value.length) {
    const length = glob.match(value, at)?.longest ?? 0;
    if (length === 0) result += value.charAt(at++);
    else {
      result += text;
      at += length;
      if (!all) break;
    }
  }
  return result + value.slice(at);
}
