import { invalid } from './errors.ts';

interface Rule {
  readonly negated: boolean;
  readonly matcher: RegExp;
}

/** A path pattern of .dockerignore as a regular expression: Go's filepath.Match plus `**` for any depth. */
function compile(pattern: string): RegExp {
  let out = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === '*' && pattern[at + 1] === '*') {
      at += 1;
      if (pattern[at + 1] === '/') at += 1;
      out += at + 1 >= pattern.length ? '.*' : '(?:.*/)?';
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '\\') {
      at += 1;
      out += literal(pattern.charAt(at));
    } else if (char === '[') {
      const close = pattern.indexOf(']', at + 2);
      if (close === -1) throw invalid(`syntax error in pattern: ${pattern}`);
      const body = pattern.slice(at + 1, close).replace(/\\/g, '\\\\');
      out += `[${body}]`;
      at = close;
    } else out += literal(char);
  }
  try {
    return new RegExp(`^${out}(?:/.*)?$`, 's');
  } catch {
    throw invalid(`syntax error in pattern: ${pattern}`);
  }
}

function literal(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function clean(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..') parts.push(part);
  }
  return parts.join('/');
}

/**
 * Which paths of a build context stay out, by the rules of .dockerignore: one pattern a line, `#` comments, `!` takes
 * back, later lines win, a pattern that matches a directory matches everything below it.
 */
export class IgnoreRules {
  readonly #rules: readonly Rule[];

  /** Reads the text of a .dockerignore. Throws `invalid` for a pattern that cannot be read. */
  constructor(text: string) {
    this.#rules = text
      .replace(/^\ufeff/, '')
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.trim())
      .flatMap((line) => {
        const negated = line.startsWith('!');
        const pattern = clean(negated ? line.slice(1).trim() : line);
        if (line === '!') throw invalid('illegal exclusion pattern: "!"');
        return pattern === '' ? [] : [{ negated, matcher: compile(pattern) }];
      });
  }

  /** Whether any line takes paths back, so that an ignored directory may still hold wanted files. */
  get hasExceptions(): boolean {
    return this.#rules.some((rule) => rule.negated);
  }

  /** True when the path (relative, with `/`, no leading one) stays out. */
  ignores(path: string): boolean {
    let ignored = false;
    for (const { negated, matcher } of this.#rules) {
      if (negated !== ignored) continue;
      if (matcher.test(path)) ignored = !negated;
    }
    return ignored;
  }
}
