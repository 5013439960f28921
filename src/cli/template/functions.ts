import { formatValue, GoNil, goType, isObject, isTrue, noValue } from './go-value.ts';
import { sprint, sprintf } from './printf.ts';

/** A function of a template. What it throws is reported as `error calling NAME: message`. */
export type TemplateFunction = (...args: unknown[]) => unknown;

function stringOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`wrong type for value; expected string; got ${goType(value)}`);
  return value;
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`wrong type for value; expected int; got ${goType(value)}`);
  return value;
}

function kindOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return typeof value;
  return value === null || value === undefined || value === noValue ? 'nil' : 'other';
}

function equal(a: unknown, b: unknown): boolean {
  const [left, right] = [kindOf(a), kindOf(b)];
  if (left === 'other' || right === 'other') throw new TypeError('non-comparable type');
  if (left === 'nil' || right === 'nil') return left === right;
  if (left !== right) throw new TypeError('incompatible types for comparison');
  return a === b;
}

function less(a: unknown, b: unknown): boolean {
  if (kindOf(a) !== kindOf(b)) throw new TypeError('incompatible types for comparison');
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  throw new TypeError('invalid type for comparison');
}

function index(value: unknown, ...keys: unknown[]): unknown {
  let current = value;
  for (const key of keys) {
    if (current instanceof GoNil) {
      if (current.kind === 'slice') throw new RangeError(`index out of range: ${formatValue(key)}`);
      current = '';
    } else if (Array.isArray(current) || typeof current === 'string') {
      if (typeof key !== 'number') throw new TypeError(`cannot index slice/array with type ${goType(key)}`);
      const bytes = typeof current === 'string' ? [...Buffer.from(current)] : current;
      if (key < 0 || key >= bytes.length) throw new RangeError(`index out of range: ${key}`);
      current = bytes[key];
    } else if (isObject(current)) {
      if (typeof key !== 'string') throw new TypeError(`value has type ${goType(key)}; should be string`);
      current = Object.hasOwn(current, key) ? current[key] : '';
    } else if (current === null || current === undefined || current === noValue) {
      throw new TypeError('index of untyped nil');
    } else throw new TypeError(`can't index item of type ${goType(current)}`);
  }
  return current;
}

function slice(value: unknown, ...bounds: unknown[]): unknown {
  if (!Array.isArray(value) && typeof value !== 'string')
    throw new TypeError(`can't slice item of type ${goType(value)}`);
  const from = numberOf(bounds[0] ?? 0);
  const to = numberOf(bounds[1] ?? value.length);
  for (const bound of [from, to])
    if (bound < 0 || bound > value.length) throw new RangeError(`index out of range: ${bound}`);
  if (from > to) throw new RangeError(`invalid slice index: ${from} > ${to}`);
  return value.slice(from, to);
}

function length(value: unknown): number {
  if (value instanceof GoNil) return 0;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  if (value === null || value === undefined || value === noValue) throw new TypeError('len of nil pointer');
  throw new TypeError(`len of type ${goType(value)}`);
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&#34;', "'": '&#39;' };
  return text.replace(/[<>&"']/g, (char) => entities[char] ?? char);
}

function escapeJs(text: string): string {
  const entities: Record<string, string> = {
    '<': '\\u003C',
    '>': '\\u003E',
    '&': '\\u0026',
    '=': '\\u003D',
    '\n': '\\u000A',
  };
  return text.replace(/[\\'"]/g, (char) => `\\${char}`).replace(/[<>&=\n]/g, (char) => entities[char] ?? char);
}

/** JSON as Go writes it, without escaping of HTML; methods of rows are left out. */
export function goJson(value: unknown): string {
  return JSON.stringify(value === noValue || value === undefined ? null : value)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

/** Go's built-in functions and those Docker adds. `and` and `or` are not here: they do not evaluate all arguments. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  not: (value) => !isTrue(value),
  eq: (first, ...others) => {
    if (others.length === 0) throw new TypeError('missing argument for comparison');
    return others.some((other) => equal(first, other));
  },
  ne: (a, b) => !equal(a, b),
  lt: less,
  le: (a, b) => less(a, b) || equal(a, b),
  gt: (a, b) => !(less(a, b) || equal(a, b)),
  ge: (a, b) => !less(a, b),
  len: length,
  index,
  slice,
  print: (...args) => sprint(args),
  printf: (format, ...args) => sprintf(stringOf(format), args),
  println: (...args) => `${args.map(formatValue).join(' ')}\n`,
  html: (...args) => escapeHtml(sprint(args)),
  js: (...args) => escapeJs(sprint(args)),
  urlquery: (...args) => encodeURIComponent(sprint(args)).replaceAll('%20', '+'),
  json: goJson,
  split: (text, separator) => stringOf(text).split(stringOf(separator)),
  join: (list, separator) => {
    if (list instanceof GoNil) return '';
    if (!Array.isArray(list)) throw new TypeError(`expected []string; got ${goType(list)}`);
    return list.map(formatValue).join(stringOf(separator));
  },
  title: (text) =>
    stringOf(text).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before, letter) => before + letter.toUpperCase()),
  lower: (text) => stringOf(text).toLowerCase(),
  upper: (text) => stringOf(text).toUpperCase(),
  pad: (text, left, right) => {
    const body = stringOf(text);
    return body === '' ? body : ' '.repeat(numberOf(left)) + body + ' '.repeat(numberOf(right));
  },
  truncate: (text, count) => stringOf(text).slice(0, numberOf(count)),
  call: (value) => {
    throw new TypeError(`non-function of type ${goType(value)}`);
  },
};
