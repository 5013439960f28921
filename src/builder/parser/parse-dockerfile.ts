import { invalid } from '#base';
import { DockerfileFaults } from '../dockerfile-error.ts';
import { readDirectives } from './read-directives.ts';
import { findHeredocs } from './read-heredocs.ts';
import { splitFlags } from './split-words.ts';
import type { Heredoc, SyntaxNode, SyntaxTree } from './syntax-tree.ts';

const heredocKeywords = new Set(['RUN', 'COPY', 'ADD']);

/**
 * Splits a Dockerfile into instructions: directives, comments, continuation lines, flags and here-documents are
 * resolved; keywords are not checked. `file` is its path in the context, for messages.
 * Throws `invalid` (details: file, line, instruction).
 */
export function parseDockerfile(text: string, file = 'Dockerfile'): SyntaxTree {
  const faults = new DockerfileFaults(file);
  if (text.length === 0) throw invalid(`the Dockerfile (${file}) cannot be empty`);
  return new DockerfileReader(text, faults).read();
}

class DockerfileReader {
  readonly #lines: string[];
  readonly #faults: DockerfileFaults;
  readonly #nodes: SyntaxNode[] = [];
  readonly #warnings: { message: string; line: number }[] = [];
  #next = 0;

  constructor(text: string, faults: DockerfileFaults) {
    this.#lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
    this.#faults = faults;
  }

  read(): SyntaxTree {
    const { directives, count } = readDirectives(this.#lines, this.#faults);
    this.#next = count;
    const continuation = new RegExp(`(^|[^\\${directives.escape}])\\${directives.escape}[ \\t]*$`);
    while (this.#next < this.#lines.length) this.#readInstruction(continuation, directives.escape);
    if (this.#nodes.length === 0) throw this.#faults.syntax('file with no instructions', 1, 'nothing');
    return { directives, nodes: this.#nodes, warnings: this.#warnings };
  }

  #readInstruction(continuation: RegExp, escapeChar: string): void {
    const line = this.#next + 1;
    const first = (this.#lines[this.#next++] ?? '').trimStart();
    if (first === '' || first.startsWith('#')) return;
    let joined = '';
    let emptyContinuation = false;
    let part = first;
    for (;;) {
      const match = continuation.exec(part);
      joined += match ? part.slice(0, match.index) + (match[1] ?? '') : part;
      if (!match) break;
      const found = this.#nextContinuation();
      emptyContinuation ||= found.skippedEmpty;
      if (found.text === undefined) break;
      part = found.text;
    }
    if (emptyContinuation) {
      this.#warnings.push({
        message: `Empty continuation line found in: ${joined.trim()}`,
        line,
      });
    }
    if (joined.trim() === '') return;
    this.#addNode(joined.trim(), line, escapeChar);
  }

  /** The next line that belongs to a continued instruction: comments and empty lines in between do not count. */
  #nextContinuation(): { text: string | undefined; skippedEmpty: boolean } {
    let skippedEmpty = false;
    while (this.#next < this.#lines.length) {
      const text = this.#lines[this.#next++] ?? '';
      if (text.trimStart().startsWith('#')) continue;
      if (text.trim() !== '') return { text, skippedEmpty };
      skippedEmpty = this.#next < this.#lines.length;
    }
    return { text: undefined, skippedEmpty };
  }

  #addNode(original: string, line: number, escapeChar: string): void {
    const [, word = '', tail = ''] = /^(\S+)[\t\v\f\r ]*([\s\S]*)$/.exec(original) ?? [];
    const keyword = word.toUpperCase();
    const { flags, rest } = splitFlags(tail);
    const heredocs = this.#readHeredocs(keyword, rest, line, escapeChar);
    this.#nodes.push({ keyword, flags, rest, original, heredocs, line, endLine: this.#next });
  }

  #readHeredocs(keyword: string, rest: string, line: number, escapeChar: string): Heredoc[] {
    const trigger = keyword === 'ONBUILD' ? (/^\S+/.exec(rest)?.[0] ?? '').toUpperCase() : keyword;
    if (!heredocKeywords.has(trigger)) return [];
    return findHeredocs(rest, escapeChar).map((start) => {
      const body: string[] = [];
      for (;;) {
        const text = this.#lines[this.#next++];
        if (text === undefined) throw this.#faults.syntax('unterminated heredoc', line, keyword);
        const bare = start.chomp ? text.replace(/^\t+/, '') : text;
        if (bare === start.name) break;
        body.push(`${bare}\n`);
      }
      return { ...start, content: body.join('') };
    });
  }
}
