import { TemplateParseError } from './errors.ts';

/** What kind of word a token is. */
export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'identifier'
  | 'field'
  | 'variable'
  | 'dot'
  | 'string'
  | 'number'
  | 'char'
  | 'pipe'
  | 'lparen'
  | 'rparen'
  | 'declare'
  | 'assign'
  | 'comma'
  | 'space'
  | 'end';

/** One word of a template. `text` is as written; text between actions is trimmed already. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
}

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /\s+/y],
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.)+'/y],
  ['number', /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['declare', /:=/y],
  ['assign', /=/y],
  ['pipe', /\|/y],
  ['lparen', /\(/y],
  ['rparen', /\)/y],
  ['comma', /,/y],
];

/** The line of an offset, from 1. */
export function lineOf(source: string, at: number): number {
  return source.slice(0, at).split('\n').length;
}

function lexAction(source: string, from: number, tokens: Token[]): number {
  let at = from;
  let depth = 0;
  for (;;) {
    if (depth === 0) {
      if (source.startsWith('}}', at)) {
        tokens.push({ kind: 'close', text: '}}', at });
        return at + 2;
      }
      const trimmed = /\s-\}\}/y;
      trimmed.lastIndex = at;
      if (trimmed.test(source)) {
        tokens.push({ kind: 'close', text: ' -}}', at });
        return at + 4;
      }
    }
    if (at >= source.length) throw new TemplateParseError(lineOf(source, from), 'unclosed action');
    let matched = false;
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const match = pattern.exec(source);
      if (!match) continue;
      const text = kind === 'space' ? ' ' : match[0];
      if (kind === 'space' && source.startsWith('-}}', at + match[0].length)) {
        at += match[0].length - 1;
        matched = true;
        break;
      }
      if (kind === 'lparen') depth += 1;
      if (kind === 'rparen') {
        depth -= 1;
        if (depth < 0) throw new TemplateParseError(lineOf(source, at), 'unexpected right paren');
      }
      tokens.push({ kind, text, at });
      at += match[0].length;
      matched = true;
      break;
    }
    if (matched) continue;
    const line = lineOf(source, at);
    if (source.startsWith('}}', at)) throw new TemplateParseError(line, 'unclosed left paren');
    if (source[at] === '"') throw new TemplateParseError(line, 'unterminated quoted string');
    if (source[at] === '`') throw new TemplateParseError(line, 'unterminated raw quoted string');
    if (source[at] === "'") throw new TemplateParseError(line, 'unterminated character constant');
    const code = source.codePointAt(at) ?? 0;
    const shown = `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`;
    throw new TemplateParseError(line, `unrecognized character in action: ${shown}`);
  }
}

/** Cuts a template into words. Comments are gone, `{{-` and `-}}` have trimmed the text beside them. */
export function lex(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  const pushText = (raw: string, start: number, trimRight: boolean): void => {
    const left = trimNext ? raw.trimStart() : raw;
    const text = trimRight ? left.trimEnd() : left;
    if (text !== '') tokens.push({ kind: 'text', text, at: start });
  };
  for (;;) {
    const open = source.indexOf('{{', at);
    if (open === -1) {
      pushText(source.slice(at), at, false);
      tokens.push({ kind: 'end', text: '', at: source.length });
      return tokens;
    }
    const trims = /^\{\{-\s/.test(source.slice(open, open + 4));
    pushText(source.slice(at, open), at, trims);
    trimNext = false;
    const inside = open + (trims ? 3 : 2);
    const comment = /\s*\/\*/y;
    comment.lastIndex = inside;
    if (comment.test(source)) {
      const end = source.indexOf('*/', inside);
      if (end === -1) throw new TemplateParseError(lineOf(source, open), 'unclosed comment');
      const close = /^\*\/(\s-)?\}\}/.exec(source.slice(end));
      if (!close) throw new TemplateParseError(lineOf(source, open), 'comment ends before closing delimiter');
      trimNext = close[1] !== undefined;
      at = end + close[0].length;
      continue;
    }
    tokens.push({ kind: 'open', text: '{{', at: open });
    at = lexAction(source, inside, tokens);
    trimNext = tokens.at(-1)?.text === ' -}}';
  }
}
