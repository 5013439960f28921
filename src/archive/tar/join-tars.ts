import { Readable } from 'node:stream';
import { blockSize, isZeroBlock, numberAt } from './tar-header.ts';

/** Where a header block keeps the size of its member (POSIX ustar). */
const [sizeAt, sizeLength] = [124, 12];

/**
 * One tar of the members of several, in order: only the last one's end mark remains. Each is asked for when the one
 * before has ended, read at the pace of the reader, and destroyed when the reader goes.
 */
export function joinTars(parts: readonly (() => Promise<Readable>)[]): Readable {
  return Readable.from(join(parts), { objectMode: false });
}

async function* join(parts: readonly (() => Promise<Readable>)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield* members(await part());
  yield Buffer.alloc(2 * blockSize);
}

/** The bytes of a tar up to its end mark. */
async function* members(tar: Readable): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(blockSize);
  let filled = 0;
  let content = 0;
  let ended = false;
  for await (const chunk of tar as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length && !ended; ) {
      if (content > 0) {
        const taken = Math.min(content, chunk.length - at);
        yield chunk.subarray(at, at + taken);
        content -= taken;
        at += taken;
        continue;
      }
      const taken = Math.min(blockSize - filled, chunk.length - at);
      chunk.copy(header, filled, at, at + taken);
      filled += taken;
      at += taken;
      if (filled < blockSize) continue;
      filled = 0;
      ended = isZeroBlock(header);
      if (ended) continue;
      content = Math.ceil(numberAt(header, sizeAt, sizeLength) / blockSize) * blockSize;
      yield Buffer.from(header);
    }
  }
}
