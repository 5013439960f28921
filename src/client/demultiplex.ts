import type { Readable, Writable } from 'node:stream';
import { frameHeaderSize, frameStreams } from '#api-types';
import { internal } from '#base';

/** Where the frames of a multiplexed stream go. */
export interface OutputPair {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

async function put(target: Writable, data: Buffer): Promise<void> {
  if (data.length === 0 || target.destroyed) return;
  if (!target.write(data)) {
    await new Promise<void>((resolve) => {
      const done = () => {
        target.off('drain', done);
        target.off('close', done);
        target.off('error', done);
        resolve();
      };
      target.once('drain', done);
      target.once('close', done);
      target.once('error', done);
    });
  }
}

/**
 * Takes a stream of frames apart (8-byte header: stream, three zeros, big-endian length) and writes each stream to its
 * place, waiting for slow readers. Ends with the source; throws `internal` at a frame of an unknown stream, and with
 * the text of a system error frame.
 */
export async function demultiplex(source: Readable, output: OutputPair): Promise<void> {
  const header = Buffer.alloc(frameHeaderSize);
  let filled = 0;
  let left = 0;
  let fault = '';
  for await (const piece of source) {
    const chunk: Buffer = piece;
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const copied = chunk.copy(header, filled, at, at + frameHeaderSize - filled);
        filled += copied;
        at += copied;
        if (filled < frameHeaderSize) break;
        filled = 0;
        left = header.readUInt32BE(4);
        continue;
      }
      const data = chunk.subarray(at, at + left);
      at += data.length;
      left -= data.length;
      if (header[0] === frameStreams.stdout || header[0] === frameStreams.stdin) await put(output.stdout, data);
      else if (header[0] === frameStreams.stderr) await put(output.stderr, data);
      else if (header[0] === frameStreams.systemError) fault += data.toString();
      else throw internal(`Unrecognized input header: ${header[0]}`);
    }
  }
  if (fault !== '') throw internal(`error from daemon in stream: ${fault}`);
}

/** Writes a stream without frames (a terminal's) to one place, waiting for a slow reader. */
export async function copyStream(source: Readable, target: Writable): Promise<void> {
  for await (const piece of source) await put(target, piece);
}
