import { invalid } from '#base';
import { substitute, TemplateSyntaxError, type Variables } from './template.ts';

/** What {@link parseDotenv} needs beside the text. */
export interface DotenvOptions {
  /** Named in messages. */
  file: string;
  /** Values that win over the file's own when it refers to a variable, and those of names without `=`. */
  variables: Variables;
  /** Read and extended: what earlier files said, which `$VAR` can refer to. */
  into: Map<string, string>;
}

const blank = /[\t\v\f\r \u0085\u00a0]/;
const identifier = /[\p{L}\p{N}_.\-[\]]/u;

interface Cursor {
  text: string;
  index: number;
  line: number;
}

function fault(message: string, line: number, options: DotenvOptions): Error {
  return invalid(`failed to read ${options.file}: line ${line}: ${message}`, {
    details: { file: options.file, line, column: 1 },
  });
}

/** Moves to the next statement; false at the end of the text. */
function skipToStatement(at: Cursor): boolean {
  for (; at.index < at.text.length; at.index++) {
    const char = at.text[at.index] ?? '';
    if (char === '\n') at.line++;
    else if (char === '#') {
      const end = at.text.indexOf('\n', at.index);
      if (end === -1) return false;
      at.index = end - 1;
    } else if (!/\s/.test(char) && !blank.test(char)) return true;
  }
  return false;
}

/** Reads a name up to `=`, `:` or the end of the line; `inherited` when no value follows. */
function readName(at: Cursor, options: DotenvOptions): { name: string; inherited: boolean } {
  const exported = /^export[\t\v\f\r \u0085\u00a0]+/.exec(at.text.slice(at.index, at.index + 64));
  if (exported) at.index += exported[0].length;
  const start = at.index;
  for (; at.index < at.text.length; at.index++) {
    const char = at.text[at.index] ?? '';
    if (char === '=' || char === ':' || char === '\n') break;
    if (blank.test(char) || identifier.test(char)) continue;
    const rest = at.text.slice(start).split('\n')[0];
    throw fault(
      `unexpected character ${JSON.stringify(char)} in variable name ${JSON.stringify(rest)}`,
      at.line,
      options,
    );
  }
  const name = at.text.slice(start, at.index).trimEnd();
  const inherited = at.text[at.index] === undefined || at.text[at.index] === '\n';
  if (/\s/.test(name)) throw fault('key cannot contain a space', at.line, options);
  at.index++;
  if (inherited) at.line++;
  return { name, inherited };
}

function unescapeDouble(text: string): string {
  const named: Readonly<Record<string, string>> = {
    a: '\x07',
    b: '\b',
    c: '',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
    v: '\v',
    '\\': '\\',
    "'": "'",
    '"': '"',
    '?': '?',
    $: '\\$',
  };
  return text.replace(/\\([abcfnrtv'"?\\$]|0\d{0,3})/g, (match, code: string) => {
    if (!code.startsWith('0')) return named[code] ?? match;
    return code === '0' ? match : String.fromCharCode(Number.parseInt(code.slice(1), 8));
  });
}

function expand(text: string, options: DotenvOptions): string {
  try {
    const { variables, into } = options;
    return substitute(text, {
      lookup: (name) => variables.lookup(name) ?? into.get(name),
      onUnset: (name) => variables.onUnset?.(name),
    });
  } catch (error) {
    if (error instanceof TemplateSyntaxError) return text;
    throw error;
  }
}

/** Index of the quote that ends the value, a quote after an odd number of backslashes not counted. */
function closingQuote(at: Cursor, quote: string): number {
  let escaped = false;
  for (let i = at.index + 1; i < at.text.length; i++) {
    const char = at.text[i];
    if (escaped) escaped = false;
    else if (char === '\\') escaped = true;
    else if (char === quote) return i;
  }
  return -1;
}

function readQuoted(at: Cursor, quote: string, options: DotenvOptions): string {
  const end = closingQuote(at, quote);
  if (end === -1) {
    const line = at.text.slice(at.index).split('\n')[0];
    throw fault(`unterminated quoted value ${line}`, at.line, options);
  }
  const raw = at.text.slice(at.index + 1, end);
  at.line += raw.split('\n').length - 1;
  at.index = end + 1;
  return quote === '"' ? expand(unescapeDouble(raw).replaceAll('\\$', '$$$$'), options) : raw.replaceAll("\\'", "'");
}

function readValue(at: Cursor, options: DotenvOptions): string {
  while (blank.test(at.text[at.index] ?? '')) at.index++;
  const first = at.text[at.index];
  if (first === '"' || first === "'") return readQuoted(at, first, options);
  const newline = at.text.indexOf('\n', at.index);
  const end = newline === -1 ? at.text.length : newline;
  const raw = at.text.slice(at.index, end);
  at.index = end;
  const comment = raw.startsWith('#') ? 0 : raw.search(/[\t ]#/);
  return expand((comment === -1 ? raw : raw.slice(0, comment)).trimEnd(), options);
}

/**
 * Reads a `.env` file into `options.into`: `NAME=value`, `NAME: value`, `export NAME=value`, a name alone (taken from
 * `variables`, left out when unset), comments, 'literal' and "escaped and expanded" values, which may span lines.
 * Throws `invalid` naming file and line.
 */
export function parseDotenv(text: string, options: DotenvOptions): void {
  const at: Cursor = { text: text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'), index: 0, line: 1 };
  while (skipToStatement(at)) {
    const { name, inherited } = readName(at, options);
    const value = inherited ? options.variables.lookup(name) : readValue(at, options);
    if (value !== undefined) options.into.set(name, value);
  }
}

/** Reads a file of `NAME=value` lines whose values are taken as they are (`format: raw`). */
export function parseRawEnv(text: string, options: DotenvOptions): void {
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const statement = line.replace(/\r$/, '').trimStart();
    if (statement === '' || statement.startsWith('#')) continue;
    const equals = statement.indexOf('=');
    const name = equals === -1 ? statement : statement.slice(0, equals);
    if (/\s/.test(name)) throw fault(`variable '${name}' contains whitespaces`, index + 1, options);
    if (name === '') throw fault(`no variable name on line '${statement}'`, index + 1, options);
    const value = equals === -1 ? options.variables.lookup(name) : statement.slice(equals + 1);
    if (value !== undefined) options.into.set(name, value);
  }
}
