import { WholeFloat } from '../model/whole-float.ts';
import { compareNaturally } from './natural-order.ts';
import { goFloat } from './tree.ts';
import { yamlStyle } from './yaml-style.ts';

const escapes: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\u0085': 'N',
  '\u00a0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
};

function escaped(char: string): string {
  const name = escapes[char];
  if (name !== undefined) return `\\${name}`;
  const code = char.codePointAt(0) ?? 0;
  const [letter, width] = code <= 0xff ? ['x', 2] : code <= 0xffff ? ['u', 4] : ['U', 8];
  return `\\${letter}${code.toString(16).toUpperCase().padStart(Number(width), '0')}`;
}

function doubleQuoted(text: string): string {
  // The writer mistakes all that follows a byte order mark for one.
  const pattern = text.startsWith('\ufeff')
    ? /./gsu
    : /[^\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]|["\\]/gu;
  return `"${text.replace(pattern, escaped)}"`;
}

/** Lines as a literal block, without the line break that ends it. */
function literal(text: string, indent: string): string {
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const lines = text.replace(/\n$/, '').split('\n');
  return `|${hint}${chomp}\n${lines.map((line) => (line === '' ? '' : `${indent}${line}`)).join('\n')}`;
}

function textAs(text: string, indent: string, isKey = false): string {
  const style = yamlStyle(text, isKey);
  if (style === 'plain') return text;
  if (style === 'literal') return literal(text, indent);
  if (style === 'double') return doubleQuoted(text);
  return `'${text.replaceAll("'", "''")}'`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return Number.isInteger(value) ? String(value) : goFloat(value);
}

function scalar(value: unknown, indent: string): string {
  if (typeof value === 'string') return textAs(value, indent);
  if (typeof value === 'number') return numberText(value);
  if (value instanceof WholeFloat) return goFloat(value.value);
  return value === undefined ? 'null' : String(value);
}

function entriesOf(value: object): Array<[string, unknown]> {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return entries.filter(([, entry]) => entry !== undefined);
}

/** Text of `value` after `key:` or `-`, with the blank or line break before it. */
function after(value: unknown, indent: string, inList: boolean): string {
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) {
    return ` ${scalar(value, `${indent}  `)}`;
  }
  const body = collection(value, `${indent}  `);
  if (body === undefined) return Array.isArray(value) ? ' []' : ' {}';
  return inList ? ` ${body.slice(indent.length + 2)}` : `\n${body}`;
}

function collection(value: object, indent: string): string | undefined {
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return value.map((entry) => `${indent}-${after(entry, indent, true)}`).join('\n');
  }
  const entries = entriesOf(value);
  if (entries.length === 0) return undefined;
  return entries
    .map(([key, entry]) => `${indent}${textAs(key, indent, true)}:${after(entry, indent, false)}`)
    .join('\n');
}

/** A copy of plain data in which the keys of all mappings have the order that Go's YAML writer gives them. */
export function inYamlOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inYamlOrder);
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  const entries = entriesOf(value).sort(([a], [b]) => compareNaturally(a, b));
  return new Map(entries.map(([key, entry]) => [key, inYamlOrder(entry)]));
}

/**
 * Writes plain data (objects, `Map`s, lists, scalars) as YAML in block style, two blanks a level, lists indented, the
 * keys in the order they have; byte for byte as the YAML library of docker compose (go.yaml.in/yaml/v3) writes it.
 */
export function yamlText(value: object): string {
  return `${collection(value, '') ?? '{}'}\n`;
}
