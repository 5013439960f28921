import { finished, type Readable } from 'node:stream';

/** Room for the chunk that makes a batch full; Node's sockets give at most 64 KiB at a time. */
const slack = 64 * 1024;

/**
 * Reads `source` in batches of about `size` bytes: while the caller handles one, the next collects. One write of a
 * megabyte costs a fraction of sixteen small ones. A batch is valid until the next is asked for. What arrived before a failure is given
 * before the failure is thrown. Leaving early pauses the source and does not destroy it.
 */
export async function* gather(source: Readable, size: number): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let length = 0;
  let ended = false;
  let failure: Error | undefined;
  let space: Buffer | undefined;
  let wake = () => {};
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= size) source.pause();
    wake();
  };
  const unwatch = finished(source, { writable: false }, (error) => {
    ended = true;
    failure = error ?? undefined;
    wake();
  });
  source.on('data', onData);
  try {
    for (;;) {
      const [first] = chunks;
      if (first === undefined) {
        if (failure !== undefined) throw failure;
        if (ended) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      let batch = first;
      if (chunks.length > 1) {
        space ??= Buffer.allocUnsafeSlow(size + slack);
        batch = length <= space.length ? join(chunks, space) : Buffer.concat(chunks);
      }
      chunks = [];
      length = 0;
      source.resume();
      yield batch;
    }
  } finally {
    source.off('data', onData);
    unwatch();
    if (!ended) source.pause();
  }
}

function join(chunks: readonly Buffer[], space: Buffer): Buffer {
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(space, at);
  return space.subarray(0, at);
}
