import { addAbortSignal, Readable } from 'node:stream';
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
  const packed = Readable.from(gzipBlocks(signal === undefined ? plain : addAbortSignal(signal, plain)), {
    objectMode: false,
  });
  const { digest, size } = await ingest(content, packed);
  await lease.hold(digest);
  const descriptor: Descriptor = { mediaType: mediaTypes.dockerLayerGzip, digest, size };
  records.setCompressed(diffId, descriptor);
  return descriptor;
}
