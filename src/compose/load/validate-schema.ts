import { WholeFloat } from '../model/whole-float.ts';
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
  /** A fault of a key, not of a value. */
  isWrongKey?: boolean;
}

/** Text in single quotes, with the escapes of Go's strings. */
function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return `'${inner.replaceAll("'", "\\'")}'`;
}

function quoted(names: readonly string[]): string {
  return names.map(quote).join(', ');
}

function allowedKinds(schema: Schema): string {
  if (schema.first) return allowedKinds(schema.first);
  const kinds: string[] = [...(schema.scalars ?? [])];
  if (schema.items) kinds.push('array');
  if (schema.keys || schema.each || schema.open) kinds.push('mapping');
  const names = [...new Set(kinds)].sort();
  const last = names.pop() ?? 'nothing';
  return names.length === 0 ? last : `${names.join(', ')} or ${last}`;
}

function allowsKind(schema: Schema, value: Tree): boolean {
  if (isMap(value)) return Boolean(schema.keys || schema.each || schema.open);
  if (isList(value)) return schema.items !== undefined;
  const kind = kindOf(value);
  const scalars: readonly ScalarKind[] = schema.scalars ?? [];
  return scalars.some((allowed) => allowed === kind || (allowed === 'number' && kind === 'integer'));
}

/** Of two faults the one to tell: the deeper, where keys that are not allowed count as one deeper; else the first. */
function moreSpecific(one: Fault | undefined, other: Fault | undefined): Fault | undefined {
  if (!one || !other) return one ?? other;
  return depthOf(other) > depthOf(one) ? other : one;
}

function depthOf({ path, isWrongKey }: Fault): number {
  return path.length + (isWrongKey ? 1 : 0);
}

function wrongKeys(wrong: readonly string[], path: Path, hint: string | undefined): Fault | undefined {
  const [first] = wrong;
  if (first === undefined) return undefined;
  const message = `additional properties ${quoted(wrong)} not allowed`;
  return { path, at: [...path, first], isWrongKey: true, message, hint };
}

/** Keys that are not allowed. */
function keysFault(value: TreeMap, schema: Schema, path: Path): Fault | undefined {
  const { keys: known, keyPattern, closed, lax } = schema;
  if (lax) return undefined;
  const isWrong = (key: string) =>
    known ? !Object.hasOwn(known, key) && (closed || !key.startsWith('x-')) : keyPattern?.test(key) === false;
  const wrong = [...value.keys()].filter(isWrong);
  if (!known) {
    const hint = wrong[0] === '' ? 'a name is empty' : 'a name consists of letters, digits, ".", "_" and "-"';
    return wrongKeys(wrong, path, hint);
  }
  const guess = wrong[0] === undefined ? undefined : closestName(wrong[0], Object.keys(known));
  return wrongKeys(wrong, path, guess && `did you mean "${guess}"?`);
}

function missingFault(value: TreeMap, { required = [] }: Schema, path: Path): Fault | undefined {
  const missing = required.filter((key) => !value.has(key));
  if (missing.length === 0) return undefined;
  return { path, message: `missing ${missing.length > 1 ? 'properties' : 'property'} ${quoted(missing)}` };
}

function mappingFault(value: TreeMap, schema: Schema, path: Path): Fault | undefined {
  let worst = missingFault(value, schema, path);
  for (const [key, entry] of value) {
    const { keys: known, keyPattern } = schema;
    const fits = known ? Object.hasOwn(known, key) : keyPattern === undefined || keyPattern.test(key);
    const inner = fits ? (known ? known[key] : schema.each) : undefined;
    if (inner) worst = moreSpecific(worst, faultOf(entry, inner, [...path, key]));
  }
  return moreSpecific(worst, keysFault(value, schema, path));
}

function listFault(value: Tree[], schema: Schema, path: Path): Fault | undefined {
  let worst = schema.distinct ? repetitionFault(value, path) : undefined;
  for (const [index, entry] of value.entries()) {
    if (schema.items) worst = moreSpecific(worst, faultOf(entry, schema.items, [...path, String(index)]));
  }
  return worst;
}

function repetitionFault(value: Tree[], path: Path): Fault | undefined {
  for (const [index, entry] of value.entries()) {
    const first = value.findIndex((other) => sameTree(other, entry));
    if (first < index)
      return { path, at: [...path, String(index)], message: `items at ${first} and ${index} are equal` };
  }
  return undefined;
}

function scalarFault(value: Tree, schema: Schema, path: Path): Fault | undefined {
  const number = value instanceof WholeFloat ? value.value : value;
  if (typeof number === 'number' || typeof number === 'bigint') {
    const { min, max } = schema;
    if (min !== undefined && number < min) return { path, message: `must be greater than or equal to ${min}` };
    if (max !== undefined && number > max) return { path, message: `must be less than or equal to ${max}` };
  }
  if (typeof value !== 'string') return undefined;
  if (schema.values && !schema.values.includes(value)) {
    const many = schema.values.length > 1;
    const guess = closestName(value, schema.values);
    const message = `value must be ${many ? 'one of ' : ''}${quoted(schema.values)}`;
    return { path, message, hint: guess && `did you mean "${guess}"?` };
  }
  if (schema.pattern && !new RegExp(schema.pattern).test(value)) {
    return { path, message: `${quote(value)} does not match pattern ${quote(schema.pattern)}` };
  }
  return undefined;
}

function faultOf(value: Tree, schema: Schema, path: Path): Fault | undefined {
  const wrongKind = () => ({ path, message: `must be a ${allowedKinds(schema)}` });
  if (!allowsKind(schema, value)) return wrongKind();
  let fault: Fault | undefined;
  if (isMap(value)) fault = mappingFault(value, schema, path);
  else if (isList(value)) fault = listFault(value, schema, path);
  else fault = scalarFault(value, schema, path);
  // Of alternatives, the first is told unless another one fits better.
  const isLater = schema.first !== undefined && !allowsKind(schema.first, value);
  return fault && isLater && depthOf(fault) <= path.length ? wrongKind() : fault;
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
