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
