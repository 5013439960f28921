import { frameHeaderSize, frameStreams } from '#api-types';
import type { OutputChunk } from '#runtime';

/** The 8-byte header of a frame of `length` bytes. */
function frameHeader(stream: OutputChunk['stream'], length: number): Buffer {
  const header = Buffer.alloc(frameHeaderSize);
  header[0] = frameStreams[stream];
  header.writeUInt32BE(length, 4);
  return header;
}

/** A chunk of output as it goes to the client: plain for a terminal, framed otherwise. */
export function encodeOutput(chunk: OutputChunk, tty: boolean): Buffer {
  if (tty) return chunk.data;
  return Buffer.concat([frameHeader(chunk.stream, chunk.data.length), chunk.data]);
}

/** A piece of output to send: `prefix` and `data`, then a newline if `newline` says so. */
export interface OutputLine {
  readonly stream: OutputChunk['stream'];
  readonly prefix: Uint8Array | undefined;
  readonly data: Uint8Array;
  readonly newline: boolean;
}

/**
 * Many lines as they go to the client, one frame each (no frames for a terminal), in one buffer: a log has millions,
 * and a buffer for each costs more than reading them.
 */
export function encodeLines(lines: readonly OutputLine[], tty: boolean): Buffer {
  const header = tty ? 0 : frameHeaderSize;
  let total = 0;
  for (const line of lines) total += header + lengthOf(line);
  const encoded = Buffer.allocUnsafe(total);
  let at = 0;
  for (const line of lines) {
    if (!tty) {
      encoded.writeUInt32BE(frameStreams[line.stream] * 2 ** 24, at);
      encoded.writeUInt32BE(lengthOf(line), at + 4);
      at += frameHeaderSize;
    }
    if (line.prefix) {
      encoded.set(line.prefix, at);
      at += line.prefix.length;
    }
    encoded.set(line.data, at);
    at += line.data.length;
    if (line.newline) encoded[at++] = newline;
  }
  return encoded;
}

const newline = 10;

function lengthOf({ prefix, data, newline }: OutputLine): number {
  return (prefix?.length ?? 0) + data.length + (newline ? 1 : 0);
}
