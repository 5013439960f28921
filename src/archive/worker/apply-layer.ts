import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { canceled, type Digest, invalid } from '#base';
import type { ThreadRoot } from '#host';
import type { LayerFacts, LayerLimits } from '../archive.ts';
import { archiveFault, detectCompression, openDecompressed } from '../tar/decompress.ts';
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
  const directory = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
  const sink = new LayerSink();
  try {
    const reader = new TarReader(new LimitSink(sink, limits));
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of layerBytes(openSync(blob, constants.O_RDONLY))) {
      if (task.signal.aborted) throw canceled('unpacking the layer was canceled');
      size += chunk.length;
      if (size > limits.size) throw invalid(`bad layer: more than ${limits.size} bytes`);
      hash.update(chunk);
      root.run(directory, () => reader.write(chunk));
    }
    root.run(directory, () => {
      reader.end();
      sink.close();
    });
    const diffId: Digest = `sha256:${hash.digest('hex')}`;
    if (expected !== undefined && diffId !== expected) {
      throw invalid(`bad layer: its content is ${diffId}, but the image wants ${expected}`, {
        details: { expected, found: diffId },
      });
    }
    return { diffId, size };
  } catch (error) {
    throw archiveFault(error);
  } finally {
    sink.abort();
    closeSync(directory);
  }
}

/** The uncompressed bytes of the file `fd`, which it closes. A chunk is good until the next one is asked for. */
async function* layerBytes(fd: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(readSize);
  const head = buffer.subarray(0, readSync(fd, buffer, 0, 6, 0));
  const compression = detectCompression(head);
  if (compression === 'bzip2' || compression === 'xz') {
    closeSync(fd);
    throw invalid(`bad layer: compressed with ${compression}; layers are plain, gzip or zstd`);
  }
  if (compression !== 'none') {
    yield* openDecompressed(fd, compression);
    return;
  }
  try {
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      yield buffer.subarray(0, length);
      // Lets messages in, such as a cancel, and other tasks of this worker go on.
      await setImmediate();
    }
  } finally {
    closeSync(fd);
  }
}
