import type { Readable } from 'node:stream';
import { invalid } from '#base';

/** The largest message that is sent or taken, in bytes: BuildKit's own limit. */
export const maxMessageBytes = 16 * 1024 * 1024;

const headerBytes = 5;

/** A message as gRPC puts it into a stream: no compression, 4 bytes of length, the bytes. Throws `invalid` if too large. */
export function frame(message: Uint8Array): Buffer {
  if (message.length > maxMessageBytes) throw invalid(`a message of ${message.length} bytes is too large to send`);
  const bytes = Buffer.allocUnsafe(headerBytes + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, headerBytes);
  return bytes;
}

/**
 * The messages in a stream, each as soon as it is whole. Throws `invalid` for compressed and oversized ones and for a
 * stream that ends inside one. Leaves the stream open when its reader stops early.
 */
export async function* messagesIn(source: Readable): AsyncGenerator<Uint8Array> {
  let parts: Buffer[] = [];
  let held = 0;
  let wanted = headerBytes;
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    parts.push(chunk as Buffer);
    held += (chunk as Buffer).length;
    if (held < wanted) continue;
    let bytes = parts.length === 1 ? (chunk as Buffer) : Buffer.concat(parts, held);
    for (;;) {
      wanted = bytes.length < headerBytes ? headerBytes : headerBytes + lengthIn(bytes);
      if (bytes.length < wanted) break;
      yield bytes.subarray(headerBytes, wanted);
      bytes = bytes.subarray(wanted);
    }
    parts = bytes.length === 0 ? [] : [bytes];
    held = bytes.length;
  }
  if (held > 0) throw invalid('the stream ended inside a message');
}

function lengthIn(header: Buffer): number {
  if (header[0] !== 0) throw invalid('compressed messages are not taken');
  const length = header.readUInt32BE(1);
  if (length > maxMessageBytes)
    throw invalid(`a message of ${length} bytes is larger than the ${maxMessageBytes} taken`);
  return length;
}
