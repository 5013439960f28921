import { Readable } from 'node:stream';
import { decompress, detectCompression } from '#archive';

/** The bytes of an archive without compression, whatever it came in. Destroying the result destroys `archive`. */
export async function openArchive(archive: Readable): Promise<Readable> {
  const chunks = archive[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first: Buffer[] = [];
  let size = 0;
  while (size < 6) {
    const { done, value } = await chunks.next();
    if (done) break;
    first.push(value);
    size += value.length;
  }
  const head = Buffer.concat(first);
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (;;) {
        const { done, value } = await chunks.next();
        if (done) return;
        yield value;
      }
    } finally {
      archive.destroy();
    }
  }
  return decompress(Readable.from(whole(), { objectMode: false, highWaterMark: 1024 * 1024 }), detectCompression(head));
}
