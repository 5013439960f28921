/**
 * Compiles one pattern of Go's filepath.Match (`*`, `?`, `[a-z]`, `[^a]`, backslash) to a regular expression over a
 * whole slash-separated path; `**` crosses directories where `doubleStar` is given. Undefined for a malformed pattern.
 * Matching is for worker threads: a hostile pattern can take long.
 */
export function compilePathPattern(pattern: string, options: { doubleStar?: boolean } = {}): RegExp | undefined {
  let source = '^';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === '*') {
      if (options.doubleStar && pattern.charAt(at + 1) === '*') {
        at++;
        if (pattern.charAt(at + 1) === '/') at++;
        source += at + 1 >= pattern.length ? '.*' : '(?:.*/)?';
      } else source += '[^/]*';
    } else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const found = readClass(pattern, at);
      if (found === undefined) return undefined;
      source += found.source;
      at = found.end;
    } else if (char === '\\') {
      if (++at >= pattern.length) return undefined;
      source += literal(pattern.charAt(at));
    } else source += literal(char);
  }
  try {
    return new RegExp(`${source}$`, 's');
  } catch {
    return undefined; // a range such as [z-a]
  }
}

/** True when the text has a character that makes it a pattern. */
export function hasWildcard(text: string): boolean {
  return /[*?[]/.test(text.replace(/\\./g, ''));
}

function literal(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

function readClass(pattern: string, start: number): { source: string; end: number } | undefined {
  let at = start + 1;
  const negated = pattern.charAt(at) === '^';
  if (negated) at++;
  let body = '';
  for (; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === ']') {
      if (body === '') return undefined;
      return { source: negated ? `[^/${body}]` : `(?!/)[${body}]`, end: at };
    }
    if (char === '\\') {
      if (++at >= pattern.length) return undefined;
      body += literal(pattern.charAt(at));
    } else if (char === '-' && body !== '' && pattern.charAt(at + 1) !== ']') body += '-';
    else body += literal(char);
  }
  return undefined;
}
