import { closestName } from './closest-name.ts';
import { composeSchema, type ScalarKind, type Schema } from './schema.ts';
import type { Sources } from './sources.ts';
import { isList, isMap, kindOf, type Path, sameTree, type Tree, type TreeMap } from './tree.ts';

interface Fault {
  path: Path;
  message: string;
  /** Path whose line is shown when it is not `path`, such as that of a wrong key. */
  at?: Path;
  hint?: string | undefined;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}

function allowedKinds(schema: Schema): string {
  const kinds: string[] = [...(schema.scalars ?? [])];
  if (schema.items) kinds.push('array');
  if (schema.keys || schema.each || schema.open) kinds.push('object');
  const names = [...new Set(kinds)].sort();
  const last = names.pop() ?? 'nothing';
  return names.length === 0 ? last : `${names.join(', ')} or ${last}`;
}

function allowsScalar(schema: Schema, kind: string): boolean {
  const scalars: readonly ScalarKind[] = schema.scalars ?? [];
  return scalars.some((allowed) => allowed === kind || (allowed === 'number' && kind === 'integer'));
}

function mappingFault(value: TreeMap, schema: Schema, path: Path): Fault | undefined {
  const known = schema.keys;
  if (known) {
    const wrong = [...value.keys()].filter((key) => !Object.hasOwn(known, key) && !key.startsWith('x-'));
    const first = wrong[0];
    if (first !== undefined) {
      const guess = closestName(first, Object.keys(known));
      return {
        path,
        at: [...path, first],
        message: `additional properties ${quoted(wrong)} not allowed`,
        hint: guess && `did you mean "${guess}"?`,
      };
    }
    const missing = schema.required?.filter((key) => !value.has(key)) ?? [];
    if (missing.length > 0) {
      return { path, message: `missing ${missing.length > 1 ? 'properties' : 'property'} ${quoted(missing)}` };
    }
  }
  for (const [key, entry] of value) {
    if (schema.keyPattern && !schema.keyPattern.test(key) && !key.startsWith('x-')) {
      const hint = 'a name consists of letters, digits, ".", "_" and "-"';
      return { path, at: [...path, key], message: `additional properties ${quoted([key])} not allowed`, hint };
    }
    const inner = known ? (Object.hasOwn(known, key) ? known[key] : undefined) : schema.each;
    const fault = inner && faultOf(entry, inner, [...path, key]);
    if (fault) return fault;
  }
  return undefined;
}

function repetitionFault(value: Tree[], path: Path): Fault | undefined {
  for (const [index, entry] of value.entries()) {
    const first = value.findIndex((other) => sameTree(other, entry));
    if (first < index)
      return { path, at: [...path, String(index)], message: `items at ${first} and ${index} are equal` };
  }
  return undefined;
}

function faultOf(value: Tree, schema: Schema, path: Path): Fault | undefined {
  if (isMap(value) && (schema.keys || schema.each || schema.open)) return mappingFault(value, schema, path);
  if (isList(value) && schema.items) {
    for (const [index, entry] of value.entries()) {
      const fault = faultOf(entry, schema.items, [...path, String(index)]);
      if (fault) return fault;
    }
    return schema.distinct ? repetitionFault(value, path) : undefined;
  }
  const kind = kindOf(value);
  if (!allowsScalar(schema, kind)) return { path, message: `must be a ${allowedKinds(schema)}` };
  if (typeof value !== 'string') return undefined;
  if (schema.values && !schema.values.includes(value)) {
    const many = schema.values.length > 1;
    const guess = closestName(value, schema.values);
    const message = `value must be ${many ? 'one of ' : ''}${quoted(schema.values)}`;
    return { path, message, hint: guess && `did you mean "${guess}"?` };
  }
  if (schema.pattern && !new RegExp(schema.pattern).test(value)) {
    return { path, message: `'${value}' does not match pattern '${schema.pattern}'` };
  }
  return undefined;
}

/**
 * Checks a merged model against the Compose Specification's schema. `file` is the file just merged, which the message
 * names first. Throws `invalid` with path, line and, for a wrong key, the nearest right one.
 */
export function validateSchema(model: TreeMap, file: string, sources: Sources): void {
  const fault = faultOf(model, composeSchema, []);
  if (!fault) return;
  const message = `validating ${file}: ${fault.path.join('.')} ${fault.message}`;
  throw sources.error(message, fault.at ?? fault.path, { hint: fault.hint });
}
