/**
 * Shell-like match as Go's path.Match: `*` and `?` stop at slashes, `[a-z]` is a class, a backslash takes the next
 * sign as it is. A malformed pattern matches nothing.
 */
export function globMatches(pattern: string, text: string): boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at] ?? '';
    if (sign === '*') source += '[^/]*';
    else if (sign === '?') source += '[^/]';
    else if (sign === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) return false;
      source += `[${pattern.slice(at + 1, end).replaceAll('\\', '\\\\')}]`;
      at = end;
    } else {
      const literal = sign === '\\' ? (pattern[++at] ?? '') : sign;
      source += literal.replace(/[$()*+.?[\\\]^{|}]/, '\\$&');
    }
  }
  // Runs of stars would make the engine try every split; one star says the same.
  const simple = source.replace(/(\[\^\/\]\*)+/g, '[^/]*');
  try {
    return new RegExp(`^${simple}$`).test(text);
  } catch {
    return false;
  }
}
