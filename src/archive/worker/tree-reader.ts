import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { errnoOf } from '#base';
import { dataRanges, getXattr, listXattrs } from '#host';
import { type ByteName, toHostPath } from '../tar/byte-name.ts';
import { encodeHeader } from '../tar/tar-encode.ts';
import type { SparsePiece, TarEntry, TarEntryType } from '../tar/tar-entry.ts';
import { blockSize } from '../tar/tar-header.ts';

/** One file met on a walk. */
export interface WalkedFile {
  /** Absolute, as this thread sees it. */
  readonly path: ByteName;
  /** Path below the start of the walk; empty for the start. */
  readonly relative: ByteName;
  readonly stat: BigIntStats;
}

/** What {@link packTree} shall do with each file. */
export interface PackPolicy {
  /** Name in the archive, without a slash at its end; undefined leaves out the file, and not what is below it. */
  readonly nameOf: (file: WalkedFile) => ByteName | undefined;
  /** False leaves out the file and all below it. */
  readonly takes: (file: WalkedFile) => boolean;
  /** Extra entries that stand in a directory, after it and before its members. */
  readonly markersIn?: (file: WalkedFile, name: ByteName) => TarEntry[];
  /** Entry to write in place of the file itself. */
  readonly replace?: (file: WalkedFile, name: ByteName) => TarEntry | undefined;
  /** Keep times to the nanosecond, or to the second. */
  readonly nanoseconds: boolean;
  /** Write the holes of sparse files as holes (GNU tar's pax format 1.0), or as zeros. */
  readonly keepsHoles?: boolean;
  /** Names of the extended attributes to keep. */
  readonly keepsXattr: (name: string) => boolean;
}

/** How {@link packTree} hands out its bytes. */
export interface PieceOptions {
  /** Bytes of each piece but the last. */
  readonly size: number;
  /** Give the same buffer again and again: each piece is good until the next is asked for. */
  readonly reuse: boolean;
}

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** A file in more pieces than this is written with its holes filled. */
const mostPieces = 10_000;
/** The tree may change while it is walked; these say that a file is not any more what it was. */
const gone: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']);

/** Runs `body`; undefined when the file went away meanwhile. */
function unlessGone<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (gone.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Walks from `start` down, each directory before its members, members by the bytes of their names. Never follows a
 * symlink. `enters` is asked once for each directory.
 */
export function* walkTree(start: ByteName, enters: (file: WalkedFile) => boolean): Generator<WalkedFile> {
  const stack: { path: ByteName; relative: ByteName }[] = [{ path: start, relative: '' }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { path, relative } = next;
    const stat = lstatSync(toHostPath(path), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) continue;
    const file = { path, relative, stat };
    yield file;
    if (!stat.isDirectory() || !enters(file)) continue;
    const names = unlessGone(() => readdirSync(toHostPath(path), { encoding: 'latin1' })) ?? [];
    names.sort().reverse();
    const above = path === '/' ? '' : path;
    for (const name of names) {
      stack.push({ path: `${above}/${name}`, relative: relative === '' ? name : `${relative}/${name}` });
    }
  }
}

/** Collects bytes in buffers of one size. Each buffer handed out is the taker's, or with `reuse` good until the next. */
class Blocks {
  readonly #size: number;
  readonly #reuse: boolean;
  #buffer: Buffer;
  #filled = 0;

  constructor({ size, reuse }: PieceOptions) {
    this.#size = size;
    this.#reuse = reuse;
    this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  /** The free rest of the current buffer; never empty. */
  get room(): Buffer {
    return this.#buffer.subarray(this.#filled);
  }

  /** Counts bytes written into `room`. Returns the buffer when that filled it. */
  advance(bytes: number): Buffer | undefined {
    this.#filled += bytes;
    if (this.#filled < this.#size) return undefined;
    const full = this.#buffer;
    if (!this.#reuse) this.#buffer = Buffer.allocUnsafeSlow(this.#size);
    this.#filled = 0;
    return full;
  }

  /** What is left at the end. */
  rest(): Buffer {
    return this.#buffer.subarray(0, this.#filled);
  }
}

/**
 * The bytes of a tar archive of the tree at `start`, made while they are asked for, in `pieces`. Sockets
 * are left out; files with several names are written once, the other names as hard links. A file that shrinks while
 * it is read is filled up with zeros, one that grows is cut.
 */
export function* packTree(start: ByteName, policy: PackPolicy, pieces: PieceOptions): Generator<Buffer> {
  const blocks = new Blocks(pieces);
  const links = new Map<string, ByteName>();
  for (const file of walkTree(start, policy.takes)) {
    if (!policy.takes(file)) continue;
    const name = policy.nameOf(file);
    if (name === undefined) {
      yield* markers(blocks, policy, file, '');
      continue;
    }
    const replacement = policy.replace?.(file, name);
    if (replacement !== undefined) {
      yield* put(blocks, encodeHeader(replacement));
      continue;
    }
    const entry = unlessGone(() => entryOf(file, name, policy, links));
    if (entry === undefined) continue;
    if (entry.type === 'file' && entry.size > 0)
      yield* putFile(blocks, file, { entry, keepsHoles: policy.keepsHoles ?? false });
    else yield* put(blocks, encodeHeader(entry));
    yield* markers(blocks, policy, file, name);
  }
  yield* put(blocks, Buffer.alloc(2 * blockSize));
  const rest = blocks.rest();
  if (rest.length > 0) yield rest;
}

function* markers(blocks: Blocks, policy: PackPolicy, file: WalkedFile, name: ByteName): Generator<Buffer> {
  if (!file.stat.isDirectory()) return;
  for (const marker of policy.markersIn?.(file, name) ?? []) yield* put(blocks, encodeHeader(marker));
}

function* put(blocks: Blocks, bytes: Buffer): Generator<Buffer> {
  let done = 0;
  while (done < bytes.length) {
    const copied = bytes.copy(blocks.room, 0, done);
    done += copied;
    const full = blocks.advance(copied);
    if (full !== undefined) yield full;
  }
}

function* putFile(
  blocks: Blocks,
  file: WalkedFile,
  { entry, keepsHoles }: { entry: TarEntry; keepsHoles: boolean },
): Generator<Buffer> {
  const fd = unlessGone(() => openSync(toHostPath(file.path), readFlags));
  if (fd === undefined) return;
  let written = 0;
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) return;
    entry.size = Number(stat.size);
    const hasHoles = keepsHoles && stat.blocks * 512n < stat.size;
    if (hasHoles) entry.sparse = dataRanges(fd, entry.size, mostPieces);
    yield* put(blocks, encodeHeader(entry));
    for (const piece of entry.sparse ?? [{ offset: 0, length: entry.size }]) {
      yield* putPiece(blocks, fd, piece);
      written += piece.length;
    }
  } finally {
    closeSync(fd);
  }
  yield* put(blocks, Buffer.alloc(-written & (blockSize - 1)));
}

function* putPiece(blocks: Blocks, fd: number, { offset, length }: SparsePiece): Generator<Buffer> {
  const end = offset + length;
  for (let at = offset; at < end; ) {
    const room = blocks.room;
    let read = readSync(fd, room, 0, Math.min(room.length, end - at), at);
    if (read === 0) {
      read = Math.min(room.length, end - at);
      room.fill(0, 0, read);
    }
    at += read;
    const full = blocks.advance(read);
    if (full !== undefined) yield full;
  }
}

function typeOf(stat: BigIntStats): TarEntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

function entryOf(
  file: WalkedFile,
  name: ByteName,
  policy: PackPolicy,
  links: Map<string, ByteName>,
): TarEntry | undefined {
  const { stat, path } = file;
  const type = typeOf(stat);
  if (type === undefined) return undefined;
  const entry = metadataOf(file, type === 'directory' ? `${name}/` : name, type, policy.nanoseconds);
  if (type !== 'directory' && stat.nlink > 1n) {
    const key = `${stat.dev}:${stat.ino}`;
    const first = links.get(key);
    if (first !== undefined) return { ...entry, type: 'link', linkName: first, size: 0, major: 0, minor: 0 };
    links.set(key, name);
  }
  if (type === 'symlink') entry.linkName = readlinkSync(toHostPath(path), { encoding: 'latin1' });
  if (type === 'character' || type === 'block') {
    entry.major = Number(((stat.rdev >> 8n) & 0xfffn) | ((stat.rdev >> 32n) & 0xfffff000n));
    entry.minor = Number((stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xffffff00n));
  }
  for (const attribute of listXattrs(toHostPath(path))) {
    if (!policy.keepsXattr(attribute)) continue;
    const value = getXattr(toHostPath(path), attribute);
    if (value === undefined) continue;
    entry.xattrs ??= new Map();
    entry.xattrs.set(attribute, value);
  }
  return entry;
}

/** An entry with owner, mode and time of `file`, and its size if it is one of type file. */
export function metadataOf(file: WalkedFile, name: ByteName, type: TarEntryType, nanoseconds: boolean): TarEntry {
  const { stat } = file;
  const seconds = Number(
    stat.mtimeNs >= 0n ? stat.mtimeNs / 1_000_000_000n : (stat.mtimeNs - 999_999_999n) / 1_000_000_000n,
  );
  return {
    name,
    type,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'file' ? Number(stat.size) : 0,
    mtime: { seconds, nanoseconds: nanoseconds ? Number(stat.mtimeNs - BigInt(seconds) * 1_000_000_000n) : 0 },
    linkName: '',
    major: 0,
    minor: 0,
  };
}
