import { invalid } from '#base';
import type { ByteName } from './byte-name.ts';
import { applyPax, type PaxRecords, type PaxSparse, parsePax, paxSparse } from './pax.ts';
import { checkPieces, readGnuPieces, SparseMapReader, SparseSpreader } from './sparse.ts';
import type { SparsePiece, TarEntry } from './tar-entry.ts';
import {
  blockSize,
  decodeHeader,
  gnuSparseFlag,
  isMemberFlag,
  isZeroBlock,
  metaFlags,
  numberAt,
  type RawHeader,
} from './tar-header.ts';

/** Bytes of an extended header or long name at most; real ones have a few hundred. */
const maxMetaSize = 1024 * 1024;

/** What a {@link TarReader} finds. For each entry `begin`, then any number of `data`, then `end`. */
export interface TarSink {
  begin(entry: TarEntry): void;
  /** Bytes of the entry's file; the buffer is only good during the call. Holes of sparse files are never given. */
  data(bytes: Buffer, position: number): void;
  end(): void;
}

type State = 'header' | 'meta' | 'gnu-sparse' | 'sparse-map' | 'data' | 'padding' | 'ended';

/**
 * Reads a tar archive from chunks of any size, without waiting and without copying file data: POSIX ustar and pax
 * (POSIX.1-2017 pax), GNU tar (manual, "Basic Tar Format"), star and v7. What comes after the end mark is ignored, as
 * other readers do. Throws `invalid` for anything malformed; it is of no use after that.
 */
export class TarReader {
  readonly #sink: TarSink;
  #state: State = 'header';
  /** Gathers a header, an extended header or a sparse map block that is spread over chunks. */
  #gathered: Buffer = Buffer.allocUnsafe(blockSize);
  #filled = 0;
  #wanted = blockSize;
  #zeroBlocks = 0;
  #remaining = 0;
  #padding = 0;
  #position = 0;
  #metaFlag = '';
  readonly #global: PaxRecords = new Map();
  #local: PaxRecords | undefined;
  #longName: ByteName | undefined;
  #longLink: ByteName | undefined;
  #entry: TarEntry | undefined;
  #gnuPieces: SparsePiece[] = [];
  #mapReader: SparseMapReader | undefined;
  #spreader: SparseSpreader | undefined;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** The next bytes of the archive. */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'ended') return;
      if (this.#state === 'data') {
        const take = Math.min(this.#remaining, chunk.length - at);
        this.#putData(chunk.subarray(at, at + take));
        at += take;
      } else if (this.#state === 'padding') {
        const take = Math.min(this.#padding, chunk.length - at);
        this.#padding -= take;
        at += take;
        if (this.#padding === 0) this.#expect('header', blockSize);
      } else {
        at = this.#gather(chunk, at);
      }
    }
  }

  /** The archive is over. Throws `invalid` when it breaks off inside an entry. */
  end(): void {
    const isBetween = this.#state === 'header' && this.#filled === 0;
    const hasPending = this.#local !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
    if (this.#state !== 'ended' && (!isBetween || hasPending)) {
      throw invalid('bad tar archive: it ends in the middle of an entry');
    }
  }

  #expect(state: State, bytes: number): void {
    this.#state = state;
    this.#filled = 0;
    this.#wanted = bytes;
  }

  /** Takes bytes until the wanted number is there, then hands them on; straight from the chunk where it holds all. */
  #gather(chunk: Buffer, at: number): number {
    const missing = this.#wanted - this.#filled;
    if (this.#filled === 0 && chunk.length - at >= missing) {
      this.#take(chunk.subarray(at, at + missing));
      return at + missing;
    }
    const take = Math.min(missing, chunk.length - at);
    if (this.#gathered.length < this.#wanted) this.#gathered = Buffer.allocUnsafe(this.#wanted);
    chunk.copy(this.#gathered, this.#filled, at, at + take);
    this.#filled += take;
    if (this.#filled === this.#wanted) this.#take(this.#gathered.subarray(0, this.#wanted));
    return at + take;
  }

  #take(bytes: Buffer): void {
    if (this.#state === 'header') this.#header(bytes);
    else if (this.#state === 'meta') this.#meta(bytes);
    else if (this.#state === 'gnu-sparse') this.#gnuSparse(bytes);
    else this.#sparseMap(bytes);
  }

  #header(block: Buffer): void {
    this.#filled = 0;
    if (block[0] === 0 && isZeroBlock(block)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'ended';
      return;
    }
    if (this.#zeroBlocks > 0) throw invalid('bad tar archive: data after the end mark');
    const raw = decodeHeader(block);
    switch (raw.flag) {
      case metaFlags.pax:
      case metaFlags.solarisPax:
      case metaFlags.paxGlobal:
      case metaFlags.gnuLongName:
      case metaFlags.gnuLongLink: {
        const size = raw.entry.size;
        if (size > maxMetaSize) throw invalid(`bad tar archive: extended header of ${size} bytes`);
        this.#metaFlag = raw.flag;
        if (size === 0) this.#meta(Buffer.alloc(0));
        else this.#expect('meta', Math.ceil(size / blockSize) * blockSize);
        this.#remaining = size;
        return;
      }
      case metaFlags.gnuVolume:
        return;
      default:
        if (!isMemberFlag(raw.flag)) throw invalid(`bad tar archive: entry "${raw.entry.name}" of type ${raw.flag}`);
        this.#member(raw, block);
    }
  }

  #meta(padded: Buffer): void {
    const body = padded.subarray(0, Math.min(this.#remaining, padded.length));
    const flag = this.#metaFlag;
    if (flag === metaFlags.paxGlobal) parsePax(body, this.#global);
    else if (flag === metaFlags.gnuLongName) this.#longName = untilNul(body);
    else if (flag === metaFlags.gnuLongLink) this.#longLink = untilNul(body);
    else {
      this.#local ??= new Map();
      parsePax(body, this.#local);
    }
    this.#remaining = 0;
    this.#expect('header', blockSize);
  }

  #member(raw: RawHeader, block: Buffer): void {
    const entry = raw.entry;
    if (this.#longName !== undefined) entry.name = this.#longName;
    if (this.#longLink !== undefined) entry.linkName = this.#longLink;
    let sparse: PaxSparse | undefined;
    if (this.#global.size > 0 || this.#local !== undefined) {
      const records = this.#local === undefined ? this.#global : new Map([...this.#global, ...this.#local]);
      applyPax(entry, records);
      sparse = paxSparse(records);
    }
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    if (!Number.isSafeInteger(entry.size) || entry.size < 0) throw invalid('bad tar archive: size out of range');
    this.#entry = entry;
    this.#spreader = undefined;
    // Only files have data: what other types write into the size field means nothing (or a directory's quota).
    this.#remaining = entry.type === 'file' ? entry.size : 0;
    if (raw.flag === 'D') this.#remaining = entry.size;
    this.#padding = -this.#remaining & (blockSize - 1);
    if (entry.type !== 'file') entry.size = 0;
    if (sparse !== undefined && entry.type === 'file') this.#paxSparseMember(entry, sparse);
    else if (raw.flag === gnuSparseFlag) this.#gnuSparseMember(entry, block);
    else this.#begin(entry);
  }

  #paxSparseMember(entry: TarEntry, sparse: PaxSparse): void {
    if (sparse.name !== undefined) entry.name = sparse.name;
    entry.size = sparse.realSize;
    if (sparse.pieces !== undefined) {
      this.#beginSparse(entry, sparse.pieces);
      return;
    }
    this.#mapReader = new SparseMapReader();
    this.#expect('sparse-map', blockSize);
  }

  #sparseMap(block: Buffer): void {
    const reader = this.#mapReader;
    const entry = this.#entry;
    if (reader === undefined || entry === undefined) return;
    this.#filled = 0;
    this.#remaining -= blockSize;
    if (this.#remaining < 0) throw invalid('bad tar archive: sparse map longer than its entry');
    const pieces = reader.addBlock(block);
    if (pieces === undefined) return;
    this.#mapReader = undefined;
    this.#beginSparse(entry, pieces);
  }

  #gnuSparseMember(entry: TarEntry, block: Buffer): void {
    this.#gnuPieces = [];
    readGnuPieces(block, 386, 4, this.#gnuPieces);
    entry.size = numberAt(block, 483, 12);
    if (block[482] === 0) this.#beginSparse(entry, this.#gnuPieces);
    else this.#expect('gnu-sparse', blockSize);
  }

  #gnuSparse(block: Buffer): void {
    readGnuPieces(block, 0, 21, this.#gnuPieces);
    this.#filled = 0;
    if (block[504] === 0 && this.#entry !== undefined) this.#beginSparse(this.#entry, this.#gnuPieces);
  }

  #beginSparse(entry: TarEntry, pieces: readonly SparsePiece[]): void {
    checkPieces(pieces, entry.size, this.#remaining);
    entry.sparse = pieces;
    this.#spreader = new SparseSpreader(pieces);
    this.#begin(entry);
  }

  #begin(entry: TarEntry): void {
    this.#position = 0;
    this.#sink.begin(entry);
    if (this.#remaining === 0) this.#finish();
    else this.#state = 'data';
  }

  #putData(bytes: Buffer): void {
    if (this.#spreader !== undefined) this.#spreader.write(bytes, (piece, at) => this.#sink.data(piece, at));
    else if (this.#entry?.type === 'file') this.#sink.data(bytes, this.#position);
    this.#position += bytes.length;
    this.#remaining -= bytes.length;
    if (this.#remaining === 0) this.#finish();
  }

  #finish(): void {
    this.#sink.end();
    this.#entry = undefined;
    if (this.#padding > 0) this.#state = 'padding';
    else this.#expect('header', blockSize);
  }
}

function untilNul(body: Buffer): ByteName {
  const nul = body.indexOf(0);
  return body.toString('latin1', 0, nul < 0 ? body.length : nul);
}
