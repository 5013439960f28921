import { canceled, type Digest } from '#base';
import type { BlobInfo, ContentStore } from './content.ts';

/** Any stream of bytes: Node's, or one that looks like it. */
export interface ByteSource extends AsyncIterable<Uint8Array> {
  destroy(error?: Error): unknown;
}

/** Writes `bytes` as one blob and returns it. */
export async function putBlob(store: Pick<ContentStore, 'writer'>, bytes: Uint8Array | string): Promise<BlobInfo> {
  const writer = await store.writer();
  try {
    await writer.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    return await writer.commit();
  } finally {
    await writer.abort();
  }
}

/**
 * Writes all of `source` as one blob, checked against `expected` where given. On any failure, and when `signal` aborts
 * (throws `canceled`), nothing stays and the source is destroyed.
 */
export async function ingest(
  store: Pick<ContentStore, 'writer'>,
  source: ByteSource,
  options: {
    expected?: { digest?: Digest; size?: number };
    signal?: AbortSignal;
    onBytes?: (count: number) => void;
  } = {},
): Promise<BlobInfo> {
  const writer = await store.writer();
  const abort = () => source.destroy(canceled('writing the blob was canceled'));
  try {
    if (options.signal?.aborted) abort();
    else options.signal?.addEventListener('abort', abort, { once: true });
    for await (const chunk of source) {
      await writer.write(chunk);
      options.onBytes?.(chunk.length);
    }
    return await writer.commit(options.expected);
  } finally {
    options.signal?.removeEventListener('abort', abort);
    source.destroy();
    await writer.abort();
  }
}
