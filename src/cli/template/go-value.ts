/** A nil map or slice of Go: prints as empty, is false, counts zero, and is `null` in JSON. */
export class GoNil {
  readonly kind: 'map' | 'slice';

  constructor(kind: 'map' | 'slice') {
    this.kind = kind;
  }

  toJSON(): null {
    return null;
  }
}

/** What reading a key that a map does not have gives: prints `<no value>`. */
export const noValue: unique symbol = Symbol('no value');

/** The Go type that errors name, on objects with a fixed set of fields (such as the row of a table). */
export const typeName: unique symbol = Symbol('type name');

/** An object with fixed fields and methods (functions). */
export interface TypedObject {
  readonly [typeName]: string;
  readonly [field: string]: unknown;
}

/** True for things with named parts: maps and typed objects. */
export function isObject(value: unknown): value is Record<string, unknown> & { [typeName]?: string } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof GoNil);
}

/** Go's idea of true: neither zero nor empty. */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === noValue || value instanceof GoNil) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return value[typeName] !== undefined || Object.keys(value).length > 0;
  return Boolean(value);
}

/** The name of the type of a value as Go's errors spell it. */
export function goType(value: unknown): string {
  if (value === null || value === undefined || value === noValue) return 'nil';
  if (value instanceof GoNil) return value.kind === 'map' ? 'map[string]string' : '[]string';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (Array.isArray(value)) return '[]interface {}';
  if (isObject(value)) return value[typeName] ?? 'map[string]interface {}';
  return 'func()';
}

/** Keys of a map in the order Go visits and prints them. */
export function sortedKeys(value: Record<string, unknown>): string[] {
  return Object.keys(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A value as Go's `%v` prints it; `nested` changes how a nil shows. */
export function formatValue(value: unknown): string {
  if (value === noValue || value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (value instanceof GoNil) return value.kind === 'map' ? 'map[]' : '[]';
  if (typeof value === 'number') return formatNumber(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(' ')}]`;
  if (isObject(value)) {
    if (value[typeName] !== undefined)
      return `{${Object.values(value)
        .filter((part) => typeof part !== 'function')
        .map(formatValue)
        .join(' ')}}`;
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${formatValue(value[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}

/** A number as Go's `%v`: integers plain, floats like `%g`. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value))
    return Math.abs(value) < 1e21 ? BigInt(value).toString() : goExponent(value.toExponential());
  const magnitude = Math.abs(value);
  return magnitude < 1e-4 || magnitude >= 1e21 ? goExponent(value.toExponential()) : String(value);
}

/** JavaScript's `1e+5` as Go's `1e+05`. */
export function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}
