import { invalid } from '#base';

/**
 * Splits a command line into words as a shell does: blanks separate, 'quotes' are literal, in "quotes" a backslash
 * escapes `$`, backquote, quote and backslash, elsewhere it escapes anything. Nothing is expanded; what follows an operator of the shell (`;`, `&`, `|`, `<`, `>`) is
 * left out, as docker compose leaves it out.
 * Throws `invalid` for a quote or backslash that is not closed.
 */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    if (/[;&|<>]/.test(char)) break;
    if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '\\') {
      if (i + 1 >= line.length) throw invalid('invalid command line string');
      word = (word ?? '') + line[++i];
    } else if (char === "'" || char === '"') {
      const end = quoteEnd(line, i);
      word = (word ?? '') + unquote(line.slice(i + 1, end), char);
      i = end;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function quoteEnd(line: string, start: number): number {
  const quote = line[start];
  for (let i = start + 1; i < line.length; i++) {
    if (quote === '"' && line[i] === '\\') i++;
    else if (line[i] === quote) return i;
  }
  throw invalid('invalid command line string');
}

function unquote(text: string, quote: string): string {
  return quote === "'" ? text : text.replace(/\\([$`"\\])/g, '$1');
}
