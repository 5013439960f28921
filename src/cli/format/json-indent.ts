/**
 * Lays a JSON text out with four blanks a level, as Go's json.Indent does. Works on the text itself: the order of keys and
 * numbers too large for JavaScript stay as they are.
 */
export function indentJson(text: string, prefix = '', indent = '    '): string {
  let out = '';
  let depth = 0;
  let at = 0;
  const newline = (): string => `\n${prefix}${indent.repeat(depth)}`;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') {
      const from = at;
      for (at += 1; text[at] !== '"' && at < text.length; at += 1) if (text[at] === '\\') at += 1;
      at += 1;
      out += text.slice(from, at);
      continue;
    }
    at += 1;
    if (/\s/.test(char)) continue;
    if (char === '{' || char === '[') {
      const close = /^\s*[}\]]/.exec(text.slice(at, at + 32));
      if (close) {
        out += char + close[0].trim();
        at += close[0].length;
      } else {
        depth += 1;
        out += char + newline();
      }
    } else if (char === '}' || char === ']') {
      depth -= 1;
      out += newline() + char;
    } else if (char === ',') out += char + newline();
    else if (char === ':') out += ': ';
    else out += char;
  }
  return out;
}
