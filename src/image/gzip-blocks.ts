import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipOnce = promisify(gzip);

/** Bytes that are packed at a time. It shows in the result: another size gives other bytes. */
const blockSize = 1024 * 1024;
/** Less than half the time of the default level for some percent more bytes. */
const level = 2;
/** Blocks under way at a time; each takes a thread of the pool that also serves files. */
const parallelBlocks = 3;

/**
 * Packs a stream on several cores: gzip members one behind the other (RFC 1952, section 2.2), one per MiB, which every
 * reader of gzip takes as one file. The same bytes always give the same result, however the chunks of `source` fall.
 */
export async function* gzipBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const underWay: Promise<Buffer>[] = [];
  let isEmpty = true;
  try {
    for await (const block of blocksOf(source)) {
      isEmpty = false;
      const packed = gzipOnce(block, { level, memLevel: 9, chunkSize: blockSize });
      // Awaited in its turn; until then a failure is nobody's yet.
      packed.catch(() => undefined);
      underWay.push(packed);
      if (underWay.length >= parallelBlocks) yield (await underWay.shift()) ?? Buffer.alloc(0);
    }
    if (isEmpty) yield await gzipOnce(Buffer.alloc(0), { level });
    for (let packed = underWay.shift(); packed !== undefined; packed = underWay.shift()) yield await packed;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** The bytes of `source` in blocks of one size, but for the last. */
async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (size + rest.length >= blockSize) {
      const head = rest.subarray(0, blockSize - size);
      yield Buffer.concat([...parts, head]);
      rest = rest.subarray(head.length);
      parts = [];
      size = 0;
    }
    if (rest.length > 0) parts.push(rest);
    size += rest.length;
  }
  if (size > 0) yield Buffer.concat(parts);
}
