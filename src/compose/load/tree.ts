import { compareBytes } from '../model/byte-order.ts';
import { WholeFloat } from '../model/whole-float.ts';

/**
 * A Compose file as data, before it is given meaning. Mappings are `Map`s so that no key (`__proto__`, `10`) changes
 * order or behaviour; integers beyond 2^53 are `bigint`s so that an unquoted number used as text keeps its digits;
 * a `number` without a fraction is an integer, and a {@link WholeFloat} is what was written with a point or exponent.
 */
export type Tree = null | boolean | number | bigint | WholeFloat | string | Tree[] | TreeMap;

/** A mapping of a Compose file. */
export type TreeMap = Map<string, Tree>;

/** Where something is in a {@link Tree}: keys, and list positions as decimal strings. */
export type Path = readonly string[];

/** True for a mapping. */
export function isMap(value: Tree | undefined): value is TreeMap {
  return value instanceof Map;
}

/** True for a list. */
export function isList(value: Tree | undefined): value is Tree[] {
  return Array.isArray(value);
}

/** The mapping at `key`, or undefined when there is none or it is something else. */
export function mapAt(map: TreeMap, key: string): TreeMap | undefined {
  const value = map.get(key);
  return isMap(value) ? value : undefined;
}

/** The text at `key`, or undefined when there is none or it is something else. */
export function textAt(map: TreeMap, key: string): string | undefined {
  const value = map.get(key);
  return typeof value === 'string' ? value : undefined;
}

/** A mapping of the given entries; entries that are undefined are left out. */
export function treeMap(entries: Record<string, Tree | undefined>): TreeMap {
  const map: TreeMap = new Map();
  for (const [key, value] of Object.entries(entries)) if (value !== undefined) map.set(key, value);
  return map;
}

/** A copy that shares nothing that can change. */
export function cloneTree(value: Tree): Tree {
  if (isList(value)) return value.map(cloneTree);
  if (isMap(value)) return new Map([...value].map(([key, entry]) => [key, cloneTree(entry)]));
  return value;
}

/** True when both trees hold the same, whatever the order of keys. */
export function sameTree(a: Tree, b: Tree): boolean {
  if (isList(a)) return isList(b) && a.length === b.length && a.every((entry, i) => sameTree(entry, b[i] ?? null));
  if (isMap(a)) {
    if (!isMap(b) || a.size !== b.size) return false;
    return [...a].every(([key, entry]) => b.has(key) && sameTree(entry, b.get(key) ?? null));
  }
  if (a instanceof WholeFloat) return b instanceof WholeFloat && a.value === b.value;
  return a === b;
}

/** A finite floating-point number as Go's `%g` prints it: with an exponent below 1e-4 and from 1e6 on. */
export function goFloat(value: number): string {
  const magnitude = Math.abs(value);
  const exponential = (magnitude !== 0 && magnitude < 1e-4) || magnitude >= 1e6;
  const text = exponential ? value.toExponential() : Object.is(value, -0) ? '-0' : String(value);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** A scalar as text, as Go's `%v` prints it: this is what an unquoted number or boolean becomes as a variable. */
export function scalarText(value: Tree): string {
  if (value === null) return '<nil>';
  if (value instanceof WholeFloat) return goFloat(value.value);
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return goFloat(value);
}

/** What a tree's value is called in messages. */
export function kindOf(value: Tree): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  if (isMap(value)) return 'object';
  if (typeof value === 'bigint' || value instanceof WholeFloat) return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** The type that docker compose, which is written in Go, holds a value in: its messages name it. */
export function goTypeOf(value: Tree): string {
  if (value === null) return '<nil>';
  if (isMap(value)) return 'map[string]interface {}';
  if (isList(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return value > 9223372036854775807n ? 'uint64' : 'int';
  return typeof value === 'number' && Number.isInteger(value) ? 'int' : 'float64';
}

/** A value as Go's `%s` prints it: text as it is, all other scalars with their types. */
export function goSpelled(value: Tree, isInside = false): string {
  if (typeof value === 'string') return value;
  if (value === null) return isInside ? '<nil>' : '%!s(<nil>)';
  if (isList(value)) return `[${value.map((entry) => goSpelled(entry, true)).join(' ')}]`;
  if (!isMap(value)) return `%!s(${goTypeOf(value)}=${scalarText(value)})`;
  const entries = [...value].sort(([a], [b]) => compareBytes(a, b));
  return `map[${entries.map(([key, entry]) => `${key}:${goSpelled(entry, true)}`).join(' ')}]`;
}

/** A tree as plain objects, their keys sorted, lists and scalars, {@link WholeFloat}s among them: for output and for handing out `x-` values. */
export function plainOf(value: Tree): unknown {
  if (isList(value)) return value.map(plainOf);
  if (typeof value === 'bigint') return Number(value);
  if (!isMap(value)) return value;
  const plain: Record<string, unknown> = {};
  for (const [key, entry] of [...value].sort(([a], [b]) => compareBytes(a, b))) {
    Object.defineProperty(plain, key, { value: plainOf(entry), enumerable: true, configurable: true, writable: true });
  }
  return plain;
}
