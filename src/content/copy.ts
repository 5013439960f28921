import { canceled, type Digest } from '#base';
import type { BlobInfo, BlobWriter, ContentStore } from './content.ts';

/** Bytes that are written at a time: small chunks of a socket are gathered, as each write is a trip to another thread. */
const pieceSize = 1024 * 1024;
/** Chunks that one writev(2) takes (IOV_MAX is 1024). */
const maxPieces = 512;

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
    /** Hears of the file when the first bytes are in it, and each time there are more. */
    onWritten?: (file: { readonly path: string; readonly size: number }) => void;
  } = {},
): Promise<BlobInfo> {
  const writer = await store.writer();
  const abort = () => source.destroy(canceled('writing the blob was canceled'));
  try {
    if (options.signal?.aborted) abort();
    else options.signal?.addEventListener('abort', abort, { once: true });
    await copyInto(writer, source, () => options.onWritten?.(writer));
    return await writer.commit(options.expected);
  } finally {
    options.signal?.removeEventListener('abort', abort);
    source.destroy();
    await writer.abort();
  }
}

/**
 * Appends all of `source` to the blob, in large pieces, one being written while the next is gathered. `onWritten` is
 * called after each piece. Neither commits nor aborts.
 */
export async function copyInto(
  writer: BlobWriter,
  source: AsyncIterable<Uint8Array>,
  onWritten: () => void = () => undefined,
): Promise<void> {
  let piece: Uint8Array[] = [];
  let gathered = 0;
  let writing = Promise.resolve();
  const flush = async () => {
    await writing;
    if (piece.length === 0) return;
    writing = writer.write(...piece).then(onWritten);
    // Whoever awaits it next hears of its failure.
    writing.catch(() => undefined);
    piece = [];
    gathered = 0;
  };
  try {
    for await (const chunk of source) {
      piece.push(chunk);
      gathered += chunk.length;
      if (gathered >= pieceSize || piece.length >= maxPieces) await flush();
    }
  } finally {
    // Also when the source broke off: what has come may be taken up again.
    await flush();
    await writing;
  }
}
