import { invalid } from '#base';
import type { TarEntry, TarEntryType } from './tar-entry.ts';

/** Bytes of a header, and the unit that data is padded to. */
export const blockSize = 512;

/** Type flags of headers that say something about the header after them, or are not files at all. */
export const metaFlags = {
  pax: 'x',
  paxGlobal: 'g',
  solarisPax: 'X',
  gnuLongName: 'L',
  gnuLongLink: 'K',
  gnuVolume: 'V',
} as const;

/** Type flag of GNU tar's old sparse files. */
export const gnuSparseFlag = 'S';

const types: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  D: 'directory',
  '6': 'fifo',
};

/** The flag that each type is written with. */
export const flagOf: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** A header block as it stands, before any extended header is applied. `size` is that of the data in the archive. */
export interface RawHeader {
  readonly flag: string;
  readonly entry: TarEntry;
}

function textAt(block: Buffer, start: number, length: number): string {
  const nul = block.indexOf(0, start);
  return block.toString('latin1', start, nul < 0 || nul > start + length ? start + length : nul);
}

/** An octal number, or a base-256 one when the first bit is set (GNU and star extension). Throws `invalid`. */
export function numberAt(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if (first & 0x80) return base256At(block, start, length);
  let value = 0;
  let at = start;
  const end = start + length;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at += 1;
  for (; at < end; at += 1) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at += 1) {
    if (block[at] !== 0x20 && block[at] !== 0) throw invalid('bad tar archive: malformed number in a header');
  }
  return value;
}

function base256At(block: Buffer, start: number, length: number): number {
  const isNegative = ((block[start] ?? 0) & 0x40) !== 0;
  let value = BigInt((block[start] ?? 0) & 0x3f);
  for (let at = start + 1; at < start + length; at += 1) value = (value << 8n) | BigInt(block[at] ?? 0);
  if (isNegative) value -= 1n << BigInt(length * 8 - 2);
  const result = Number(value);
  if (!Number.isSafeInteger(result)) throw invalid('bad tar archive: number in a header is out of range');
  return result;
}

function hasRightChecksum(block: Buffer): boolean {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let at = 0; at < blockSize; at += 1) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const written = numberAt(block, 148, 8);
  return written === unsigned || written === signed;
}

/** True when the block ends an archive. */
export function isZeroBlock(block: Buffer): boolean {
  for (let at = 0; at < blockSize; at += 4) if (block.readUInt32LE(at) !== 0) return false;
  return true;
}

/** True when `block` (512 bytes or more) begins with a tar header: its checksum is right. */
export function looksLikeTar(block: Buffer): boolean {
  if (block.length < blockSize) return false;
  try {
    return !isZeroBlock(block) && hasRightChecksum(block);
  } catch {
    return false;
  }
}

/** Reads a header block (POSIX ustar, GNU, star and v7 forms). Throws `invalid`. */
export function decodeHeader(block: Buffer): RawHeader {
  if (!hasRightChecksum(block)) throw invalid('bad tar archive: wrong header checksum');
  const flag = block.toString('latin1', 156, 157);
  let name = textAt(block, 0, 100);
  const magic = block.toString('latin1', 257, 265);
  if (magic === 'ustar\x0000') {
    const isStar = block.toString('latin1', 508, 512) === 'tar\0';
    const prefix = textAt(block, 345, isStar ? 131 : 155);
    if (prefix !== '') name = `${prefix}/${name}`;
  }
  let type = types[flag] ?? 'file';
  if (flag === '\0' && name.endsWith('/')) type = 'directory';
  const hasDevice = type === 'character' || type === 'block';
  return {
    flag,
    entry: {
      name,
      type,
      mode: numberAt(block, 100, 8) & 0o7777,
      uid: numberAt(block, 108, 8),
      gid: numberAt(block, 116, 8),
      size: numberAt(block, 124, 12),
      mtime: { seconds: numberAt(block, 136, 12), nanoseconds: 0 },
      linkName: textAt(block, 157, 100),
      major: hasDevice ? numberAt(block, 329, 8) : 0,
      minor: hasDevice ? numberAt(block, 337, 8) : 0,
    },
  };
}

/** True for flags that {@link decodeHeader} knows as something to make. */
export function isMemberFlag(flag: string): boolean {
  return types[flag] !== undefined;
}
