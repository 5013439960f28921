import type { ByteName } from './byte-name.ts';
import type { SparsePiece, TarEntry } from './tar-entry.ts';
import { blockSize, flagOf } from './tar-header.ts';

const maxOctal7 = 0o7777777;
const maxOctal11 = 0o77777777777;

/**
 * The header blocks of `entry`: ustar alone where it can say everything, with a pax header before it where it cannot
 * (long names, large numbers, nanoseconds, extended attributes). The same entry gives the same bytes. Names are written
 * as the bytes they are. A sparse file is written in GNU tar's pax format 1.0: its map is part of what is returned, and its
 * pieces one after the other are to follow.
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const records: [string, string][] = [];
  const split = splitName(entry.name);
  if (split === undefined) records.push(['path', entry.name]);
  if (entry.linkName.length > 100) records.push(['linkpath', entry.linkName]);
  if (entry.uid > maxOctal7) records.push(['uid', String(entry.uid)]);
  if (entry.gid > maxOctal7) records.push(['gid', String(entry.gid)]);
  const sparse = entry.sparse && sparseMap(entry.sparse);
  const stored = sparse === undefined ? entry : { ...entry, size: sparse.length + dataSize(entry.sparse ?? []) };
  if (sparse !== undefined) {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0']);
    records.push(['GNU.sparse.name', entry.name], ['GNU.sparse.realsize', String(entry.size)]);
  }
  if (stored.size > maxOctal11) records.push(['size', String(stored.size)]);
  const { seconds, nanoseconds } = entry.mtime;
  if (nanoseconds !== 0 || seconds < 0 || seconds > maxOctal11) records.push(['mtime', paxTime(seconds, nanoseconds)]);
  for (const [name, value] of entry.xattrs ?? []) records.push([`SCHILY.xattr.${name}`, value.toString('latin1')]);
  if (entry.major > maxOctal7) records.push(['SCHILY.devmajor', String(entry.major)]);
  if (entry.minor > maxOctal7) records.push(['SCHILY.devminor', String(entry.minor)]);
  const [prefix, name] = split ?? ['', entry.name.slice(0, 100)];
  const block = headerBlock(stored, prefix, name);
  const parts = records.length === 0 ? [block] : [paxBlocks(entry.name, records), block];
  return Buffer.concat(sparse === undefined ? parts : [...parts, sparse]);
}

/** The map at the head of a sparse file's data: count, offsets and lengths, a decimal number a line, whole blocks. */
function sparseMap(pieces: readonly SparsePiece[]): Buffer {
  const numbers = [pieces.length, ...pieces.flatMap(({ offset, length }) => [offset, length])];
  const text = numbers.map((number) => `${number}\n`).join('');
  const padded = Buffer.alloc(Math.ceil(text.length / blockSize) * blockSize);
  padded.write(text, 'latin1');
  return padded;
}

function dataSize(pieces: readonly SparsePiece[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Splits a name over ustar's prefix (155) and name (100) fields; undefined when it does not fit. */
function splitName(name: ByteName): [prefix: ByteName, name: ByteName] | undefined {
  if (name.length <= 100) return ['', name];
  if (name.length > 256) return undefined;
  const slash = name.indexOf('/', name.length - 101);
  if (slash < 1 || slash > 155 || slash === name.length - 1) return undefined;
  return [name.slice(0, slash), name.slice(slash + 1)];
}

function paxTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const isNegative = seconds < 0;
  const whole = isNegative ? -seconds - 1 : seconds;
  const fraction = isNegative ? 1e9 - nanoseconds : nanoseconds;
  return `${isNegative ? '-' : ''}${whole}.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
}

function paxBlocks(name: ByteName, records: [string, string][]): Buffer {
  records.sort(([a], [b]) => (a < b ? -1 : 1));
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const padded = Buffer.alloc(Math.ceil(body.length / blockSize) * blockSize);
  body.copy(padded);
  const header = headerBlock(
    {
      name: '',
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: body.length,
      mtime: { seconds: 0, nanoseconds: 0 },
      linkName: '',
      major: 0,
      minor: 0,
    },
    '',
    `PaxHeaders/${name.slice(name.lastIndexOf('/', name.length - 2) + 1)}`.slice(0, 100),
    'x',
  );
  return Buffer.concat([header, padded]);
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'utf8'), Buffer.from(`${value}\n`, 'latin1')]);
  let length = rest.length + String(rest.length).length;
  if (String(length).length > String(rest.length).length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function headerBlock(entry: TarEntry, prefix: ByteName, name: ByteName, flag = flagOf[entry.type]): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(name, 0, 100, 'latin1');
  octal(block, 100, 8, entry.mode);
  octal(block, 108, 8, entry.uid > maxOctal7 ? 0 : entry.uid);
  octal(block, 116, 8, entry.gid > maxOctal7 ? 0 : entry.gid);
  octal(block, 124, 12, entry.size > maxOctal11 ? 0 : entry.size);
  const { seconds } = entry.mtime;
  octal(block, 136, 12, seconds < 0 || seconds > maxOctal11 ? 0 : seconds);
  block.fill(0x20, 148, 156);
  block.write(flag, 156, 1, 'latin1');
  block.write(entry.linkName, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 8, 'latin1');
  octal(block, 329, 8, entry.major > maxOctal7 ? 0 : entry.major);
  octal(block, 337, 8, entry.minor > maxOctal7 ? 0 : entry.minor);
  block.write(prefix, 345, 155, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

function octal(block: Buffer, at: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
}
