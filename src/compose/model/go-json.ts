/** Keys of a record in Go's order: by bytes. */
function sortedKeys(value: object): string[] {
  return Object.keys(value).sort((a, b) => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

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

/**
 * Writes a document byte for byte as Go's `json.Marshal` writes the struct it mirrors: keys of objects in the order
 * they have, records with integer-like keys sorted, `undefined` left out.
 */
export function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value === 'string') return goString(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = new Map<string, unknown>(Object.entries(value));
  const keys = hasIntegerKey(value) ? sortedKeys(value) : [...entries.keys()];
  const fields = keys.filter((key) => entries.get(key) !== undefined);
  return `{${fields.map((key) => `${goString(key)}:${goJson(entries.get(key))}`).join(',')}}`;
}
