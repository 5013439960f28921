import { compareBytes } from './byte-order.ts';
import { WholeFloat } from './whole-float.ts';

/** True when an object's own order cannot be trusted, because JavaScript moves keys that look like integers. */
function hasIntegerKey(value: object): boolean {
  return Object.keys(value).some((key) => /^(?:0|[1-9]\d*)$/.test(key));
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** Text as Go's encoding/json writes it: as JSON, with the characters that HTML cares about escaped. */
function goString(value: string): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => escapes[char] ?? char);
}

/** A number as Go's encoding/json writes it, where JavaScript differs. */
function goNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value).replace(/e-(\d)$/, 'e-0$1');
}

/**
 * Writes a document byte for byte as Go's `json.Marshal` writes the struct it mirrors: keys of objects in the order
 * they have, records with integer-like keys sorted, `undefined` left out. With `indent`, as `json.MarshalIndent` with
 * that many blanks.
 */
export function goJson(value: unknown, indent = 0): string {
  return write(value, indent === 0 ? undefined : ' '.repeat(indent), '');
}

function enclose(
  parts: string[],
  brackets: readonly [string, string],
  step: string | undefined,
  margin: string,
): string {
  const [open, close] = brackets;
  if (parts.length === 0) return open + close;
  if (step === undefined) return `${open}${parts.join(',')}${close}`;
  const inner = `\n${margin}${step}`;
  return `${open}${inner}${parts.join(`,${inner}`)}\n${margin}${close}`;
}

function write(value: unknown, step: string | undefined, margin: string): string {
  if (typeof value === 'string') return goString(value);
  if (value instanceof WholeFloat) return goNumber(value.value);
  if (typeof value === 'number') return goNumber(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const deeper = margin + (step ?? '');
  if (Array.isArray(value)) {
    return enclose(
      value.map((entry) => write(entry, step, deeper)),
      ['[', ']'],
      step,
      margin,
    );
  }
  const separator = step === undefined ? ':' : ': ';
  const entries: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  const keys = hasIntegerKey(value) ? [...entries.keys()].sort(compareBytes) : [...entries.keys()];
  const fields = keys.filter((key) => entries.get(key) !== undefined);
  const parts = fields.map((key) => `${goString(key)}${separator}${write(entries.get(key), step, deeper)}`);
  return enclose(parts, ['{', '}'], step, margin);
}
