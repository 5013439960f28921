/**
 * Splits at blanks outside quotes. Quotes and escapes stay in the words: they are taken off when variables are
 * replaced. Inside single quotes the escape character has no meaning.
 */
export function splitWords(text: string, escapeChar: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
    } else if (char === escapeChar && quote !== "'") {
      // An escape at the very end has nothing to escape and is dropped.
      if (at + 1 < text.length) word += char + text.charAt(++at);
    } else {
      if (quote === '' && (char === '"' || char === "'")) quote = char;
      else if (char === quote) quote = '';
      word += char;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

/** Takes the words beginning with `--` off the front; a bare `--` ends them. Quotes and backslashes are resolved. */
export function splitFlags(text: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text.charAt(at))) at++;
    if (!text.startsWith('--', at)) return { flags, rest: text.slice(at).trim() };
    const { word, end } = readFlag(text, at);
    at = end;
    if (word === '--') return { flags, rest: text.slice(at).trim() };
    flags.push(word);
  }
}

function readFlag(text: string, start: number): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === '' && /\s/.test(char)) break;
    if (char === '\\') {
      if (at + 1 < text.length) word += text.charAt(++at);
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else word += char;
  }
  return { word, end: at };
}

/** Splits at runs of blanks, without regard to quotes. An empty text has no words. */
export function splitBlanks(text: string): string[] {
  return text === '' ? [] : text.split(/[\t\v\f\r ]+/);
}

/**
 * Reads the JSON form (`["a", "b"]`). Undefined when the text is not a JSON array at all; `mixed` when it is one with
 * something other than strings in it, which is an error for the instructions that take this form.
 */
export function parseJsonForm(text: string): string[] | 'mixed' | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'string') ? value : 'mixed';
}
