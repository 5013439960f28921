import { addAbortSignal, PassThrough, type Readable } from 'node:stream';
import type { Digest } from '#base';
import { type ContentStore, ingest } from '#content';
import { type Descriptor, mediaTypes } from '#oci';
import { gzipBlocks } from './gzip-blocks.ts';
import type { ImageRecords } from './image-records.ts';
import type { Lease } from './leases.ts';

/** What {@link compressLayer} needs. */
export interface CompressContext {
  readonly content: ContentStore;
  readonly records: Pick<ImageRecords, 'compressed' | 'setCompressed'>;
  readonly lease: Lease;
  readonly signal: AbortSignal | undefined;
  /**
   * Takes a copy of a layer that is packed anew, while it is packed. It may fail, and end before the stream does: then
   * the layer travels afterwards.
   */
  readonly whilePacking: (stream: Readable, digest: () => Promise<Digest>) => Promise<void>;
}

/** The gzip form of an uncompressed layer: the one made before, or a new one, remembered so that its digest stays. */
export async function compressLayer(diffId: Digest, layer: Descriptor, context: CompressContext): Promise<Descriptor> {
  const { content, records, lease, signal } = context;
  const known = records.compressed(diffId);
  if (known !== undefined) {
    await lease.hold(known.digest);
    if (await content.has(known.digest)) return known;
  }
  const plain = await content.open(layer.digest);
  const copy = new PassThrough({ highWaterMark: 4 * 1024 * 1024 });
  copy.on('error', () => undefined);
  const packed = gzipBlocks(signal === undefined ? plain : addAbortSignal(signal, plain));
  const writing = ingest(content, source(packed, copy));
  const digest = writing.then((info) => info.digest);
  // Nobody asks for it where the copy was not wanted to its end.
  digest.catch(() => undefined);
  const travelling = context.whilePacking(copy, () => digest).catch(() => undefined);
  // Whoever takes the copy may end early; the packing goes on without it.
  void travelling.finally(() => copy.destroy());
  try {
    const { size } = await writing;
    await lease.hold(await digest);
    const descriptor: Descriptor = { mediaType: mediaTypes.dockerLayerGzip, digest: await digest, size };
    records.setCompressed(diffId, descriptor);
    return descriptor;
  } catch (error) {
    copy.destroy();
    throw error;
  } finally {
    plain.destroy();
    await travelling;
  }
}

/** The packed bytes, each of them also given to `copy`, at the pace of the slower of both readers. */
function source(packed: AsyncGenerator<Buffer>, copy: PassThrough) {
  async function* both() {
    for await (const chunk of packed) {
      if (!copy.destroyed && !copy.write(chunk)) await drained(copy);
      yield chunk;
    }
    copy.end();
  }
  const bytes = both();
  return { [Symbol.asyncIterator]: () => bytes, destroy: () => void bytes.return() };
}

/** Resolves when the stream takes more, or will never. */
function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
