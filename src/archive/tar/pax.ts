import { invalid } from '#base';
import type { FileTime } from '#host';
import type { SparsePiece, TarEntry } from './tar-entry.ts';

/**
 * Extended header records by key. Values are byte strings; an empty value takes a global record back (POSIX pax,
 * "pax Extended Header").
 */
export type PaxRecords = Map<string, string>;

/** A sparse map as pax 0.0 and 0.1 write it, still as text (GNU tar manual, "PAX Format"). */
const sparseMapKey = 'GNU.sparse.map';

/** Reads `LENGTH KEY=VALUE\n` records into `records`. Throws `invalid`. */
export function parsePax(body: Buffer, records: PaxRecords): void {
  const pieces: string[] = [];
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const space = body.indexOf(0x20, at);
    const digits = body.toString('latin1', at, space < 0 ? at : space);
    const end = at + Number(digits);
    const equals = body.indexOf(0x3d, space + 1);
    if (!/^\d{1,9}$/.test(digits) || end > body.length || body[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw invalid('bad tar archive: malformed pax record');
    }
    const key = body.toString('utf8', space + 1, equals);
    const value = body.toString('latin1', equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') pieces.push(value);
    else records.set(key, value);
    at = end;
  }
  if (pieces.length > 0) records.set(sparseMapKey, pieces.join(','));
}

/** A decimal time of a pax record (`1700000000.25`, may be negative). Throws `invalid`. */
function parsePaxTime(text: string): FileTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (!match) throw invalid(`bad tar archive: malformed pax time "${text}"`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] === '') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: seconds === 0 ? 0 : -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

/** A decimal number of a pax record. Throws `invalid`. */
export function parsePaxNumber(key: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalid(`bad tar archive: pax record ${key} has the value "${text}"`);
  }
  return value;
}

const xattrPrefix = 'SCHILY.xattr.';
const libarchivePrefix = 'LIBARCHIVE.xattr.';

function withoutNul(key: string, value: string): string {
  if (value.includes('\0')) throw invalid(`bad tar archive: pax record ${key} has a NUL byte`);
  return value;
}

/** Puts the records that override header fields onto `entry`. Throws `invalid` for values that make no sense. */
export function applyPax(entry: TarEntry, records: PaxRecords): void {
  for (const [key, value] of records) {
    if (value === '' && !key.includes('xattr.')) continue;
    if (key === 'path') entry.name = withoutNul(key, value);
    else if (key === 'linkpath') entry.linkName = withoutNul(key, value);
    else if (key === 'size') entry.size = parsePaxNumber(key, value);
    else if (key === 'uid') entry.uid = parsePaxNumber(key, value);
    else if (key === 'gid') entry.gid = parsePaxNumber(key, value);
    else if (key === 'mtime') entry.mtime = parsePaxTime(value);
    else if (key === 'SCHILY.devmajor') entry.major = parsePaxNumber(key, value);
    else if (key === 'SCHILY.devminor') entry.minor = parsePaxNumber(key, value);
    else if (key.startsWith(xattrPrefix)) addXattr(entry, key.slice(xattrPrefix.length), Buffer.from(value, 'latin1'));
    else if (key.startsWith(libarchivePrefix)) {
      addXattr(entry, percentDecoded(key.slice(libarchivePrefix.length)), Buffer.from(value, 'base64'));
    }
  }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`bad tar archive: malformed attribute name "${text}"`);
  }
}

function addXattr(entry: TarEntry, name: string, value: Buffer): void {
  if (name === '' || name.includes('\0') || name.length > 255 || value.length > 64 * 1024) {
    throw invalid(`bad tar archive: extended attribute "${name}" is out of bounds`);
  }
  entry.xattrs ??= new Map();
  entry.xattrs.set(name, value);
}

/** How the data of a GNU sparse file in pax form is to be read. */
export interface PaxSparse {
  /** Name that the file really has, where the record gives one. */
  readonly name: string | undefined;
  /** Bytes of the file with its holes. */
  readonly realSize: number;
  /** The pieces; undefined when they stand at the head of the data (format 1.0). */
  readonly pieces: SparsePiece[] | undefined;
}

/** Finds out whether the records tell of a sparse file (GNU tar's pax formats 0.0, 0.1, 1.0). Throws `invalid`. */
export function paxSparse(records: PaxRecords): PaxSparse | undefined {
  const major = records.get('GNU.sparse.major');
  const map = records.get(sparseMapKey);
  const isCurrent = major === '1' && records.get('GNU.sparse.minor') === '0';
  if (!isCurrent && map === undefined) return undefined;
  const size = records.get('GNU.sparse.realsize') ?? records.get('GNU.sparse.size');
  if (size === undefined) throw invalid('bad tar archive: sparse file without its size');
  const name = records.get('GNU.sparse.name');
  return {
    name: name === undefined ? undefined : withoutNul('GNU.sparse.name', name),
    realSize: parsePaxNumber('GNU.sparse.realsize', size),
    pieces: isCurrent || map === undefined ? undefined : piecesOf(map.split(',')),
  };
}

/** Pairs of decimal offset and length. Throws `invalid`. */
export function piecesOf(numbers: readonly string[]): SparsePiece[] {
  if (numbers.length % 2 !== 0) throw invalid('bad tar archive: sparse map of odd length');
  const pieces: SparsePiece[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    pieces.push({
      offset: parsePaxNumber('GNU.sparse.map', numbers[at] ?? ''),
      length: parsePaxNumber('GNU.sparse.map', numbers[at + 1] ?? ''),
    });
  }
  return pieces;
}
