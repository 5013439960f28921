import { invalid } from '#base';
import { compareBytes } from '../model/byte-order.ts';
import { canonicalDuration } from '../model/duration.ts';
import { WholeFloat } from '../model/whole-float.ts';
import { toBoolean, toInteger64, toNumber } from './cast.ts';
import { attempt, DecodeFault, eachDecoded } from './decode-fault.ts';
import { memorySize } from './memory-size.ts';
import { goTypeOf, isList, isMap, type Path, plainOf, scalarText, type Tree, type TreeMap } from './tree.ts';

/**
 * Turns a canonical value into a piece of the model. Undefined means that the key is left out: for most keys a zero
 * value is the same as none.
 */
export type Decode = (value: Tree, context: DecodeContext) => unknown;

/** Where a {@link Decode} is. */
export interface DecodeContext {
  path: Path;
  warn(message: string): void;
}

function at(context: DecodeContext, key: string): DecodeContext {
  return { ...context, path: [...context.path, key] };
}

function refuse(value: Tree, wanted: string, { path }: DecodeContext): Error {
  const text = `expected type '${wanted}', got unconvertible type '${goTypeOf(value)}'`;
  return new DecodeFault([{ path, text }]);
}

/** A fault: `value` is below what Go's `type` can hold. */
export function overflow(value: number, type: string, { path }: DecodeContext): Error {
  return new DecodeFault([{ path, text: `cannot parse value as '${type}': ${value} overflows uint` }]);
}

const nonZero = <T>(value: T): T | undefined => (value ? value : undefined);

function asText(value: Tree, context: DecodeContext): string {
  if (isList(value) || isMap(value)) throw refuse(value, 'string', context);
  return value === null ? '' : scalarText(value);
}

function asBoolean(value: Tree, context: DecodeContext): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return attempt(context, () => toBoolean(value, context.warn));
  throw refuse(value, 'bool', context);
}

function asNumber(value: Tree, read: (text: string) => number, context: DecodeContext): number {
  if (value instanceof WholeFloat) return value.value;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return attempt(context, () => read(value));
  throw refuse(value, 'int', context);
}

/** Text; empty is none. */
export const text: Decode = (value, context) => nonZero(asText(value, context));

/** A boolean; false is none. */
export const flag: Decode = (value, context) => (value === null ? undefined : nonZero(asBoolean(value, context)));

/** A boolean whose false means something. */
export const optionalFlag: Decode = (value, context) => (value === null ? undefined : asBoolean(value, context));

/** A boolean that is true when absent; only false is kept. */
export const optOut: Decode = (value, context) => (value === null || asBoolean(value, context) ? undefined : false);

/** A whole number of Go's type `type` that must be written as one; 0 is none. */
export function bareInteger(type: 'uint16' | 'uint32'): Decode {
  return (value, context) => {
    if (typeof value === 'string') throw refuse(value, type, context);
    const number = integer(value, context) as number | undefined;
    if (number !== undefined && number < 0) throw overflow(number, type, context);
    return number;
  };
}

/** An integer; 0 is none. */
export const integer: Decode = (value, context) =>
  value === null ? undefined : nonZero(Math.trunc(asNumber(value, toInteger64, context)));

/** An integer whose 0 means something. */
export const optionalInteger: Decode = (value, context) =>
  value === null ? undefined : Math.trunc(asNumber(value, toInteger64, context));

/** As {@link optionalInteger}, for what cannot be negative. */
export const unsigned: Decode = (value, context) => {
  const number = optionalInteger(value, context) as number | undefined;
  if (number !== undefined && number < 0) throw overflow(number, 'uint64', context);
  return number;
};

/** As {@link unsigned}; 0 is none. */
export const nonZeroUnsigned: Decode = (value, context) => unsigned(value, context) || undefined;

/** A number in single precision, as Compose keeps it; 0 is none. */
export const float: Decode = (value, context) => {
  if (value === null) return undefined;
  const single = Math.fround(asNumber(value, toNumber, context));
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return nonZero(short);
  }
  return nonZero(Number(single.toPrecision(9)));
};

/** A size such as `64m`, as a decimal string of bytes; 0 is none. */
export const byteSize: Decode = (value, context) => {
  if (value === null) return undefined;
  const size = asText(value, context);
  // docker compose takes a size that is a floating-point number for none.
  if (goTypeOf(value) === 'float64') return undefined;
  const bytes = typeof value === 'string' ? attempt(context, () => memorySize(size)) : Number(value);
  return bytes === 0 ? undefined : String(bytes);
};

/** A duration, spelled as Go spells it; `0s` is none. */
export const duration: Decode = (value, context) => {
  const canonical = optionalDuration(value, context);
  return canonical === '0s' ? undefined : canonical;
};

/** A duration whose zero means something. */
export const optionalDuration: Decode = (value, context) =>
  value === null ? undefined : attempt(context, () => canonicalDuration(asText(value, context)));

/** Permission bits: octal text, or a number as it is; told as octal text. */
export const fileMode: Decode = (value, context) => {
  if (value === null) return undefined;
  return attempt(context, () => {
    if (typeof value === 'string' && !/^[-+]?[0-7]+$/.test(value)) {
      throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    const bits = typeof value === 'string' ? Number.parseInt(value, 8) : value;
    if (goTypeOf(bits) !== 'int') throw invalid(`unexpected value type ${goTypeOf(bits)} for mode`);
    return `0${Number(bits).toString(8)}`;
  });
};

/** A count of devices; `all` is -1. */
export const deviceCount: Decode = (value, context) => {
  if (value === null) return undefined;
  if (typeof value === 'string' && value.toLowerCase() === 'all') return -1;
  return attempt(context, () => {
    if (typeof value !== 'string') {
      if (goTypeOf(value) !== 'int') throw invalid(`invalid type ${goTypeOf(value)} for device count`);
      return integer(value, context);
    }
    if (/^[-+]?\d+$/.test(value)) return nonZero(Number(value));
    throw invalid(`invalid value ${JSON.stringify(value)}, the only value allowed is 'all' or a number`);
  });
};

/** A list of such; empty is none. */
export function list(item: Decode): Decode {
  return (value, context) => {
    if (value === null) return undefined;
    const items = isList(value) ? value : [value];
    const decoded = eachDecoded(items, (entry, index) => item(entry, at(context, String(index))));
    return decoded.length === 0 ? undefined : decoded;
  };
}

const anyText: Decode = asText;

/** A list of texts; one text stands for a list of it. */
export const texts = list(anyText);

/** Text, or an integer as text; other scalars are refused. */
export const textOrInteger: Decode = (value, context) => {
  if (typeof value !== 'string' && goTypeOf(value) !== 'int') throw refuse(value, 'string', context);
  return scalarText(value);
};

/** A list of such. */
export const textsOrIntegers = list(textOrInteger);

/** Sets a key that may have any name, `__proto__` included. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A record with its keys in order. */
export function sortedRecord<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const record: Record<string, T> = {};
  for (const [key, value] of [...entries].sort(([a], [b]) => compareBytes(a, b))) define(record, key, value);
  return record;
}

/** Pairs of a mapping or of a list of `key=value`; a key without value has undefined. */
function pairs(value: Tree, context: DecodeContext): Array<[string, string | undefined]> {
  if (isMap(value)) {
    return [...value].map(([key, entry]) => [key, entry === null ? undefined : asText(entry, at(context, `[${key}]`))]);
  }
  const entries = isList(value) ? value : [value];
  return entries.map((entry) => {
    const pair = asText(entry, context);
    const equals = pair.indexOf('=');
    return equals === -1 ? [pair, undefined] : [pair.slice(0, equals), pair.slice(equals + 1)];
  });
}

/** Texts by name; without value is empty. An empty mapping is none. */
export const mapping: Decode = (value, context) => {
  if (value === null) return undefined;
  const entries = pairs(value, context);
  return entries.length === 0 ? undefined : sortedRecord(new Map(entries.map(([key, entry]) => [key, entry ?? ''])));
};

/** Variables by name; without value is null. An empty mapping is none. */
export const variables: Decode = (value, context) => {
  if (value === null) return undefined;
  const entries = pairs(value, context);
  attempt(context, () => {
    const odd = isMap(value) ? undefined : entries.find(([name]) => /\s$/.test(name));
    if (odd) throw invalid(`environment variable ${odd[0]} is declared with a trailing space`);
  });
  return entries.length === 0 ? undefined : sortedRecord(new Map(entries.map(([key, entry]) => [key, entry ?? null])));
};

/** Host and addresses of `host=address` or `host:address`; several addresses stand between commas. */
function hostEntry(entry: string): [string, string[]] {
  const separator = entry.includes('=') ? '=' : ':';
  const at = entry.indexOf(separator);
  if (at === -1) throw invalid(`invalid additional host, missing IP: ${entry}`);
  return [entry.slice(0, at), entry.slice(at + 1).split(',')];
}

/** Extra hosts as sorted `name=address`. */
export const hosts: Decode = (value, context) => {
  if (value === null) return undefined;
  const entries = isMap(value)
    ? [...value].map(([host, entry]): [string, string[]] => [
        host,
        isList(entry) ? entry.map(scalarText) : [asText(entry, context)],
      ])
    : (isList(value) ? value : [value]).map((entry) => attempt(context, () => hostEntry(asText(entry, context))));
  const lines = entries.flatMap(([host, addresses]) => {
    attempt(context, () => {
      if (host === '' || /[:=]/.test(host)) throw invalid(`bad host name '${host}'`);
    });
    return addresses.map((address) => `${host}=${address.replace(/^\[(.+)\]$/, '$1')}`);
  });
  return entries.length === 0 ? undefined : lines.sort(compareBytes);
};

/** Things by name, sorted; null stays null. An empty mapping is none. */
export function record(entry: Decode): Decode {
  return (value, context) => {
    if (!isMap(value)) {
      if (value === null) return undefined;
      throw refuse(value, 'map', context);
    }
    const decoded = eachDecoded(
      [...value],
      ([key, item]) => [key, item === null ? null : entry(item, at(context, `[${key}]`))] as const,
    );
    return decoded.length === 0 ? undefined : sortedRecord(decoded);
  };
}

/** Gives the last key of the path another name in messages: that of the field in docker compose's own type. */
export function inField(name: string, decode: Decode): Decode {
  return (value, context) => decode(value, { ...context, path: [...context.path.slice(0, -1), name] });
}

/** Makes a key that is always there: `whenNone` stands for none. */
export function always(decode: Decode, whenNone: unknown): Decode & { whenNone: unknown } {
  return Object.assign((value: Tree, context: DecodeContext) => decode(value, context) ?? whenNone, { whenNone });
}

/** The fields of an object, in the order in which docker compose writes them. */
export type Fields = Readonly<Record<string, Decode>>;

/**
 * An object with these fields, in this order, and with the `x-` keys of the file. `rename` gives keys of the file
 * another name in the model.
 */
export function struct(fields: Fields, rename: Readonly<Record<string, string>> = {}): Decode {
  return (value, context) => {
    if (value === null) return undefined;
    if (!isMap(value)) throw refuse(value, 'map', context);
    return structOf(value, fields, context, rename);
  };
}

/** As {@link struct}, for a value known to be a mapping. */
export function structOf(
  value: TreeMap,
  fields: Fields,
  context: DecodeContext,
  rename: Readonly<Record<string, string>> = {},
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  eachDecoded(Object.entries(fields), ([key, decode]) => {
    const entry = value.get(key);
    let decoded: unknown;
    if (entry !== undefined) decoded = decode(entry, at(context, key));
    else if ('whenNone' in decode) decoded = decode.whenNone;
    if (decoded !== undefined) result[rename[key] ?? key] = decoded;
  });
  for (const [key, entry] of value) if (key.startsWith('x-') && !(key in fields)) define(result, key, plainOf(entry));
  return result;
}
