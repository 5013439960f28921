import { isBerthError, parseByteSize } from '#base';
import type { MountFlag } from './instruction.ts';
import { suggestionText } from './suggest.ts';

const aliases: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};
const keys = [
  'env',
  'from',
  'gid',
  'id',
  'mode',
  'readonly',
  'readwrite',
  'required',
  'sharing',
  'size',
  'source',
  'target',
  'type',
  'uid',
];
const types: readonly string[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const booleans = new Set(['readonly', 'readwrite', 'required']);

type Fail = (text: string) => Error;

/** Reads the value of one `--mount` flag (comma-separated `key=value`). `fail` makes the error to throw. */
export function parseMount(text: string, fail: Fail): MountFlag {
  const fields = readFields(text, fail);
  const type = asType(fields.get('type') ?? 'bind', fail);
  const only = (key: string, ...allowed: string[]) => {
    if (fields.has(key) && !allowed.includes(type)) throw fail(`unexpected key '${key}' for mount type '${type}'`);
  };
  only('required', 'secret', 'ssh');
  only('size', 'tmpfs');
  only('sharing', 'cache');
  for (const key of ['mode', 'uid', 'gid']) only(key, 'secret', 'ssh', 'cache');
  only('env', 'secret');
  only('from', 'bind', 'cache');
  const target = fields.get('target');
  if (target === '/') throw fail('invalid mount target "/"');
  if ((type === 'bind' || type === 'cache' || type === 'tmpfs') && !target)
    throw fail('target is required in "--mount"');
  if (type === 'secret') checkSecret(fields, fail);
  if (type === 'ssh' && fields.get('source')) throw fail('ssh does not support source');
  const flag = (key: string): boolean | undefined => {
    const value = fields.get(key);
    return value === undefined ? undefined : value === 'true';
  };
  const writable = flag('readwrite') ?? (flag('readonly') === undefined ? undefined : !flag('readonly'));
  return {
    type,
    target,
    source: fields.get('source'),
    from: fields.get('from'),
    id: fields.get('id'),
    readonly: !(writable ?? type !== 'bind'),
    required: flag('required') ?? false,
    sharing: asSharing(fields.get('sharing') ?? 'shared', fail),
    env: fields.get('env'),
    size: asSize(fields.get('size'), fail),
    mode: numberText('mode', fields, fail),
    uid: numberText('uid', fields, fail),
    gid: numberText('gid', fields, fail),
  };
}

function checkSecret(fields: ReadonlyMap<string, string>, fail: Fail): void {
  const [id, source, target] = ['id', 'source', 'target'].map((key) => fields.get(key));
  if (source && id) throw fail("both source and id can't be set");
  if (!source && !id && !target) throw fail('invalid secret mount. one of source, target required');
}

function readFields(text: string, fail: Fail): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = aliases[written] ?? written;
    if (!keys.includes(key)) throw fail(`unexpected key '${written}' in '${field}'${suggestionText(written, keys)}`);
    if (equals < 0 && !booleans.has(key)) throw fail(`invalid field '${field}' must be a key=value pair`);
    const value = equals < 0 ? 'true' : field.slice(equals + 1);
    if (booleans.has(key)) {
      const truth = /^(1|t|true)$/i.test(value);
      if (!truth && !/^(0|f|false)$/i.test(value)) throw fail(`invalid value for ${written}: ${value}`);
      fields.set(key, String(truth));
    } else fields.set(key, value);
  }
  return fields;
}

/** Comma-separated fields; a field in double quotes may hold commas, and quotes doubled. */
function splitCsv(text: string): string[] {
  const fields: string[] = [];
  const pattern = /"((?:[^"]|"")*)"(?:,|$)|([^,]*)(?:,|$)/g;
  for (let match = pattern.exec(text); match !== null && match[0] !== ''; match = pattern.exec(text)) {
    fields.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
  }
  return fields;
}

function asType(text: string, fail: Fail): MountFlag['type'] {
  const type = text.toLowerCase();
  if (!isType(type)) throw fail(`unsupported mount type "${text}"${suggestionText(text, types)}`);
  return type;
}

function isType(text: string): text is MountFlag['type'] {
  return types.includes(text);
}

function asSharing(text: string, fail: Fail): MountFlag['sharing'] {
  const value = text.toLowerCase();
  if (value === 'shared' || value === 'private' || value === 'locked') return value;
  throw fail(`unsupported sharing value "${text}"${suggestionText(text, ['shared', 'private', 'locked'])}`);
}

function asSize(text: string | undefined, fail: Fail): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseByteSize(text);
  } catch (error) {
    if (!isBerthError(error, 'invalid')) throw error;
    throw fail(`invalid value for size: ${text}`);
  }
}

/** One with variables is checked where they are known. */
function numberText(key: 'mode' | 'uid' | 'gid', fields: ReadonlyMap<string, string>, fail: Fail): string | undefined {
  const text = fields.get(key);
  if (text !== undefined && !text.includes('$')) readMountNumber(key, text, fail);
  return text;
}

/** Reads a mode (octal), uid or gid of a mount, variables replaced. `fail` makes the error to throw. */
export function readMountNumber(key: 'mode' | 'uid' | 'gid', text: string, fail: Fail): number {
  const valid = (key === 'mode' ? /^[0-7]{1,5}$/ : /^\d{1,10}$/).test(text);
  if (!valid) throw fail(`invalid value ${text} for ${key}`);
  return Number.parseInt(text, key === 'mode' ? 8 : 10);
}
