import { resolvePlainScalar } from './yaml-scalar.ts';

/** Words and forms that a reader of YAML 1.1 takes for something else than text. */
const misread = /^(?:y|n|yes|no|on|off|=|<<|---|\.\.\.|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|\d{4}-\d\d?-\d\d?.*)$/i;
/** Text that means itself without quotes, wherever it stands in block style. */
const plain =
  /^(?:[^\s\p{C}\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=[^\s\p{C}]))(?:[^\s\p{C}:#]|:(?=[^\s\p{C}])|(?<=\S)#| (?=[^\s#]))*$/u;

function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function scalar(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  if (typeof value !== 'string') return value === undefined ? 'null' : String(value);
  if (!plain.test(value) || misread.test(value) || typeof resolvePlainScalar(value) !== 'string') return quoted(value);
  return value;
}

/** Several lines as a literal block; undefined where only quotes can keep them. */
function block(text: string, indent: string): string | undefined {
  if (!text.includes('\n') || !/^[^\s\p{C}]/u.test(text) || /[^\S\n]\n|[^\S\n]$|[^\P{C}\n]/u.test(text))
    return undefined;
  const body = text.replace(/\n+$/, '');
  const ends = text.length - body.length;
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`));
  return `|${ends === 0 ? '-' : ends === 1 ? '' : '+'}\n${lines.join('\n')}${'\n'.repeat(Math.max(ends - 1, 0))}`;
}

function entriesOf(value: object): Array<[string, unknown]> {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return entries.filter(([, entry]) => entry !== undefined);
}

/** Text of `value` after `key:` or `-`, with the blank or line break before it. */
function after(value: unknown, indent: string, inList: boolean): string {
  if (typeof value === 'string') return ` ${block(value, `${indent}  `) ?? scalar(value)}`;
  if (typeof value !== 'object' || value === null) return ` ${scalar(value)}`;
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
  return entries.map(([key, entry]) => `${indent}${scalar(key)}:${after(entry, indent, false)}`).join('\n');
}

/**
 * Writes plain data (objects, `Map`s, lists, scalars) as YAML in block style, two blanks a level, lists indented, the
 * keys in the order they have. Text is quoted where YAML 1.1 or 1.2 would read it as something else.
 */
export function yamlText(value: object): string {
  return `${collection(value, '') ?? '{}'}\n`;
}
