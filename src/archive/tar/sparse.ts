import { invalid } from '#base';
import { parsePaxNumber, piecesOf } from './pax.ts';
import type { SparsePiece } from './tar-entry.ts';
import { blockSize, numberAt } from './tar-header.ts';

/** More pieces than this is an attack, not a file. */
const maxPieces = 1_000_000;

/** Takes the bytes of a file with the place they belong to, in bytes from its start. */
export type PutBytes = (bytes: Buffer, position: number) => void;

/** Checks that pieces rise, do not overlap, lie within `realSize` and hold `dataSize` bytes. Throws `invalid`. */
export function checkPieces(pieces: readonly SparsePiece[], realSize: number, dataSize: number): void {
  let end = 0;
  let total = 0;
  for (const { offset, length } of pieces) {
    if (offset < end || offset + length > realSize) throw invalid('bad tar archive: sparse map out of order or bounds');
    end = offset + length;
    total += length;
  }
  if (total !== dataSize) throw invalid('bad tar archive: sparse map and data differ in size');
}

/** Spreads the data of a sparse file over its pieces, as it comes. */
export class SparseSpreader {
  readonly #pieces: readonly SparsePiece[];
  #index = 0;
  #done = 0;

  constructor(pieces: readonly SparsePiece[]) {
    this.#pieces = pieces;
  }

  /** The next bytes of the data. */
  write(bytes: Buffer, put: PutBytes): void {
    let at = 0;
    while (at < bytes.length) {
      const piece = this.#pieces[this.#index];
      if (piece === undefined) return;
      const take = Math.min(piece.length - this.#done, bytes.length - at);
      if (take > 0) put(bytes.subarray(at, at + take), piece.offset + this.#done);
      at += take;
      this.#done += take;
      if (this.#done === piece.length) {
        this.#index += 1;
        this.#done = 0;
      }
    }
  }
}

/**
 * Collects the sparse map that stands before the data in GNU tar's pax format 1.0: the count, then offset and length
 * of each piece, a decimal number a line, padded to a full block.
 */
export class SparseMapReader {
  #text = '';
  #lines: string[] = [];
  #size = 0;

  /** Bytes taken so far: whole blocks. */
  get size(): number {
    return this.#size;
  }

  /** Takes a block of 512 bytes. Returns the pieces when it was the last of the map. Throws `invalid`. */
  addBlock(block: Buffer): SparsePiece[] | undefined {
    this.#size += blockSize;
    const lines = (this.#text + block.toString('latin1')).split('\n');
    this.#text = lines.pop() ?? '';
    this.#lines.push(...lines);
    const first = this.#lines[0];
    if (first === undefined) {
      if (this.#text.length > blockSize) throw invalid('bad tar archive: malformed sparse map');
      return undefined;
    }
    const count = parsePaxNumber('sparse map count', first);
    if (count > maxPieces) throw invalid(`bad tar archive: sparse map of ${count} pieces`);
    if (this.#lines.length < 1 + 2 * count) return undefined;
    return piecesOf(this.#lines.slice(1, 1 + 2 * count));
  }
}

/** Reads the pieces of an old GNU sparse header: `count` pairs of 12-byte numbers from `start` on; 0 length ends. */
export function readGnuPieces(block: Buffer, start: number, count: number, pieces: SparsePiece[]): void {
  for (let index = 0; index < count; index += 1) {
    const at = start + index * 24;
    if (block[at] === 0) return;
    if (pieces.length >= maxPieces) throw invalid('bad tar archive: sparse map too long');
    pieces.push({ offset: numberAt(block, at, 12), length: numberAt(block, at + 12, 12) });
  }
}
