import { frameHeaderSize, frameStreams } from '#api-types';
import type { LogLine } from '#runtime';

const newline = 10;
const noPrefixes: readonly Buffer[] = [];

/**
 * The bytes that a batch of log lines takes on the wire, each line with its prefix and, unless a piece of a longer one,
 * a line feed; in Docker's frames unless they are a terminal's (header: stream, three zeros, length as 32 bits big-endian).
 * One buffer for all: an allocation per line costs more than everything else of reading a log.
 */
export function encodeLogBatch(
  lines: readonly LogLine[],
  options: { tty: boolean; prefixOf: ((line: LogLine) => Buffer) | undefined },
): Buffer {
  const prefixes = options.prefixOf === undefined ? noPrefixes : lines.map(options.prefixOf);
  const header = options.tty ? 0 : frameHeaderSize;
  let total = 0;
  for (const [index, line] of lines.entries()) {
    total += header + (prefixes[index]?.length ?? 0) + line.text.length + (line.partial ? 0 : 1);
  }
  const out = Buffer.allocUnsafeSlow(total);
  let at = 0;
  for (const [index, line] of lines.entries()) {
    const prefix = prefixes[index];
    if (!options.tty) {
      out.writeUInt32BE(frameStreams[line.stream] << 24, at);
      out.writeUInt32BE((prefix?.length ?? 0) + line.text.length + (line.partial ? 0 : 1), at + 4);
      at += frameHeaderSize;
    }
    if (prefix !== undefined) {
      out.set(prefix, at);
      at += prefix.length;
    }
    out.set(line.text, at);
    at += line.text.length;
    if (!line.partial) out[at++] = newline;
  }
  return out;
}
