import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { canceled, type Digest, invalid } from '#base';
import type { ThreadRoot } from '#host';
import type { FollowedLayer, LayerFacts, LayerLimits } from '../archive.ts';
import { archiveFault, decompress, detectCompression } from '../tar/decompress.ts';
import { TarReader } from '../tar/tar-reader.ts';
import { LayerSink } from './layer-sink.ts';
import { LimitSink } from './limit-sink.ts';
import type { TaskContext } from './task.ts';

/** Bytes read at a time from an uncompressed layer: small enough to stay in the processor's cache while hashed. */
const readSize = 512 * 1024;

/** What {@link applyLayer} needs. */
export interface ApplyRequest {
  readonly blob: string;
  readonly target: string;
  readonly expected: Digest | undefined;
  readonly limits: LayerLimits;
}

/** Unpacks the layer `blob` into `target` in overlay form and returns the digest and size of its uncompressed tar. */
export async function applyLayer(request: ApplyRequest, root: ThreadRoot, task: TaskContext): Promise<LayerFacts> {
  const { blob, target, expected, limits } = request;
  const fd = openSync(blob, constants.O_RDONLY);
  try {
    const hash = createHash('sha256');
    const whole = { size: Number.MAX_SAFE_INTEGER, isWhole: true };
    const { bytes } = await layerBytes(fd, { written: whole, changed: () => setImmediate() });
    const { size } = await applyBytes(bytes, { target, limits, hash }, root, task);
    const diffId: Digest = `sha256:${hash.digest('hex')}`;
    if (expected !== undefined && diffId !== expected) {
      throw invalid(`bad layer: its content is ${diffId}, but the image wants ${expected}`, {
        details: { expected, found: diffId },
      });
    }
    return { diffId, size };
  } finally {
    closeSync(fd);
  }
}

/** Unpacks a layer from the growing file `fd`, as far as the task says that it is written. */
export async function followLayer(
  request: { readonly fd: number; readonly target: string; readonly limits: LayerLimits },
  root: ThreadRoot,
  task: TaskContext,
): Promise<FollowedLayer> {
  const { bytes, isPlain } = await layerBytes(request.fd, task);
  // The digest of a plain blob is found out by its writer.
  const hash = isPlain ? undefined : createHash('sha256');
  const { size, hasRoot } = await applyBytes(bytes, { ...request, hash }, root, task);
  return { diffId: hash === undefined ? undefined : `sha256:${hash.digest('hex')}`, size, hasRoot };
}

async function applyBytes(
  bytes: AsyncIterable<Buffer>,
  request: { readonly target: string; readonly limits: LayerLimits; readonly hash: Hash | undefined },
  root: ThreadRoot,
  task: TaskContext,
): Promise<{ size: number; hasRoot: boolean }> {
  const { target, limits, hash } = request;
  const directory = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
  const sink = new LayerSink();
  try {
    const reader = new TarReader(new LimitSink(sink, limits));
    let size = 0;
    for await (const chunk of bytes) {
      if (task.signal.aborted) throw canceled('unpacking the layer was canceled');
      size += chunk.length;
      if (size > limits.size) throw invalid(`bad layer: more than ${limits.size} bytes`);
      hash?.update(chunk);
      root.run(directory, () => reader.write(chunk));
    }
    root.run(directory, () => {
      reader.end();
      sink.close();
    });
    return { size, hasRoot: sink.hasRoot };
  } catch (error) {
    throw archiveFault(error);
  } finally {
    sink.abort();
    closeSync(directory);
  }
}

type Growth = Pick<TaskContext, 'written' | 'changed'> & { readonly signal?: AbortSignal };

/** The uncompressed bytes of the file `fd`. A chunk is good until the next one is asked for. */
async function layerBytes(fd: number, growth: Growth): Promise<{ bytes: AsyncIterable<Buffer>; isPlain: boolean }> {
  while (growth.written.size < 6 && !growth.written.isWhole && !growth.signal?.aborted) await growth.changed();
  const head = Buffer.alloc(6);
  const compression = detectCompression(head.subarray(0, readSync(fd, head, 0, 6, 0)));
  if (compression === 'bzip2' || compression === 'xz') {
    throw invalid(`bad layer: compressed with ${compression}; layers are plain, gzip or zstd`);
  }
  if (compression === 'none') return { bytes: fileBytes(fd, growth, false), isPlain: true };
  const packed = Readable.from(fileBytes(fd, growth, true), { objectMode: false, highWaterMark: readSize });
  return { bytes: decompress(packed, compression), isPlain: false };
}

/** The bytes of the file from its beginning; `fresh` buffers may be kept, else one is used again and again. */
async function* fileBytes(fd: number, growth: Growth, fresh: boolean): AsyncGenerator<Buffer> {
  let buffer = Buffer.allocUnsafe(readSize);
  for (let position = 0; ; ) {
    const { size, isWhole } = growth.written;
    const length = size > position ? readSync(fd, buffer, 0, Math.min(readSize, size - position), position) : 0;
    if (length > 0) {
      position += length;
      yield buffer.subarray(0, length);
      if (fresh) buffer = Buffer.allocUnsafe(readSize);
      // Lets messages in, such as a cancel, and other tasks of this worker go on.
      await setImmediate();
    } else if (isWhole) {
      return;
    } else {
      if (growth.signal?.aborted) throw canceled('unpacking the layer was canceled');
      await growth.changed();
    }
  }
}
