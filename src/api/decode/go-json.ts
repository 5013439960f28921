import { z } from 'zod';
import { invalid, messageOf } from '#base';

/** An optional string. */
export const text = z.string().optional();
/** An optional whole number. */
export const int = z.number().int().optional();
/** An optional boolean. */
export const bool = z.boolean().optional();
/** An optional list of strings. */
export const strings = z.array(z.string()).optional();
/** An optional map of strings. */
export const stringMap = z.record(z.string(), z.string()).optional();
/** An optional set as Go's APIs write it: keys to empty objects. */
export const keySet = z.record(z.string(), z.unknown()).optional();
/** A command: a list, or one word as a string. */
export const command = z.preprocess((value) => (typeof value === 'string' ? [value] : value), strings);

/**
 * An object as Go's encoding/json reads it: keys match whatever their case, null counts as absent, unknown keys are
 * ignored.
 */
export function goObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  return z.preprocess((value) => withKnownNames(value, names), z.object(shape));
}

function withKnownNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  // A null sets nothing: older clients send it where they have nothing to say.
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  const known: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = names.get(key.toLowerCase());
    if (name !== undefined && item !== null) known[name] = item;
  }
  return known;
}

/** Parses and checks JSON text. Throws `invalid` in the words of Go's decoder. */
export function decodeJson<T extends z.ZodType>(json: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid(`invalid JSON: ${messageOf(error)}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(`invalid JSON: ${describe(result.error.issues[0], value)}`);
}

const goTypes: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'int64',
  int: 'int64',
  boolean: 'bool',
  array: '[]string',
  record: 'map[string]string',
  object: 'struct',
};

function describe(issue: z.core.$ZodIssue | undefined, root: unknown): string {
  if (issue === undefined) return 'malformed value';
  const found = kindOf(valueAt(root, issue.path));
  const expected = issue.code === 'invalid_type' ? (goTypes[issue.expected] ?? issue.expected) : undefined;
  const where = issue.path.length === 0 ? 'Go value' : `Go struct field .${issue.path.join('.')}`;
  if (expected === undefined) return `${where}: ${issue.message}`;
  return `json: cannot unmarshal ${found} into ${where} of type ${expected}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    const name = Object.keys(value).find((candidate) => candidate.toLowerCase() === String(key).toLowerCase());
    value = name === undefined ? undefined : Object.entries(value).find(([candidate]) => candidate === name)?.[1];
  }
  return value;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}
