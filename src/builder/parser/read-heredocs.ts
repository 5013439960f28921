import { splitWords } from './split-words.ts';
import type { Heredoc } from './syntax-tree.ts';

const heredocWord = /^(\d*)<<(-?)([^<]*)$/;

/** A here-document announced on an instruction's line, its body not yet read. */
export type HeredocStart = Omit<Heredoc, 'content'>;

/** Finds the here-documents that a line announces, in order. `escapeChar` is the file's escape character. */
export function findHeredocs(line: string, escapeChar: string): HeredocStart[] {
  if (!line.includes('<<')) return [];
  return splitWords(line, escapeChar)
    .map((word) => parseHeredocWord(word))
    .filter((found) => found !== undefined);
}

/** Reads one word such as `<<EOF`, `3<<-"X"`; undefined when it is no here-document. */
export function parseHeredocWord(word: string): HeredocStart | undefined {
  const match = heredocWord.exec(word);
  const raw = match?.[3] ?? '';
  if (match === null || raw === '') return undefined;
  const name = raw.replace(/\\(.)|['"]/g, '$1');
  if (name === '' || /\s/.test(name)) return undefined;
  return { name, fd: Number(match[1] || 0), chomp: match[2] === '-', expand: raw === name };
}
