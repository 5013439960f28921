import { spawn } from 'node:child_process';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BerthError, errnoOf, invalid, messageOf, notImplemented } from '#base';

/** How an archive may be packed when it comes from a user; layers of images use the first three only. */
export type ArchiveCompression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const magics: readonly (readonly [ArchiveCompression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** zstd's skippable frames, which may stand before the first real one (RFC 8878, 3.1.2). */
function isSkippableFrame(head: Uint8Array): boolean {
  const [first = 0, ...rest] = head.subarray(0, 4);
  return (first & 0xf0) === 0x50 && rest[0] === 0x2a && rest[1] === 0x4d && rest[2] === 0x18;
}

/** Finds the compression from the first bytes of a file; six are enough. */
export function detectCompression(head: Uint8Array): ArchiveCompression {
  const found = magics.find(([, magic]) => head.length >= magic.length && magic.every((byte, at) => head[at] === byte));
  return found?.[0] ?? (isSkippableFrame(head) ? 'zstd' : 'none');
}

/** Bytes that come out of a decompressor at a time. */
const outputSize = 256 * 1024;

/**
 * The uncompressed bytes of `source`. Broken data fails the stream with an error that {@link archiveFault} explains; a
 * helper program that is not installed with `not-implemented`. Destroying the result ends everything behind it.
 */
export function decompress(source: Readable, compression: ArchiveCompression): Readable {
  if (compression === 'none') return source;
  if (compression !== 'gzip') return throughProgram(source, compression);
  const gunzip = createGunzip({ chunkSize: outputSize });
  pipeline(source, gunzip, () => {});
  return gunzip;
}

/** The error to show for one that reading an archive ended with: zlib's become `invalid`. */
export function archiveFault(error: unknown): unknown {
  if (error instanceof BerthError || !errnoOf(error)?.startsWith('Z_')) return error;
  return invalid(`bad archive: broken gzip data (${messageOf(error)})`, { cause: error });
}

function throughProgram(source: Readable, program: ArchiveCompression): Readable {
  const child = spawn(program, ['-d', '-c'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = new PassThrough({ highWaterMark: outputSize });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  child.once('error', (error) => {
    const isMissing = errnoOf(error) === 'ENOENT';
    output.destroy(isMissing ? notImplemented(`${program} archives need the program ${program}: install it`) : error);
  });
  // The program may stop reading early; what it says with its exit code is what counts.
  pipeline(source, child.stdin, (error) => {
    if (error && errnoOf(error) !== 'EPIPE') output.destroy(error);
  });
  child.stdout.pipe(output, { end: false });
  child.once('close', (code) => {
    if (code === 0) output.end();
    else output.destroy(invalid(`bad archive: broken ${program} data (${complaint.trim() || `exit code ${code}`})`));
  });
  output.once('close', () => {
    source.destroy();
    child.kill('SIGKILL');
  });
  return output;
}
