import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { looksLikeTar } from '#archive';

const blockBytes = 512;

/** Programs that decompress what zlib does not, by the file's first bytes. */
const decompressors: readonly { readonly magic: Buffer; readonly command: string }[] = [
  { magic: Buffer.from([0x42, 0x5a, 0x68]), command: 'bzip2' },
  { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), command: 'xz' },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), command: 'zstd' },
];
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/**
 * True when the file is a tar, compressed or not, as ADD unpacks them: the first block after decompression is a tar
 * header with a right checksum.
 */
export async function isArchive(path: string): Promise<boolean> {
  const head = await readHead(path);
  if (head.subarray(0, 2).equals(gzipMagic)) {
    const source = createReadStream(path);
    const gunzip = source.on('error', () => gunzip.destroy()).pipe(createGunzip());
    const block = await firstBlock(gunzip);
    source.destroy();
    return looksLikeTar(block);
  }
  const found = decompressors.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
  if (!found) return looksLikeTar(head);
  const child = spawn(found.command, ['-dc', '--', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  const failed = once(child, 'error').then(() => Buffer.alloc(0));
  const block = await Promise.race([firstBlock(child.stdout), failed]);
  child.kill();
  return looksLikeTar(block);
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(blockBytes), 0, blockBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function firstBlock(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= blockBytes) break;
    }
  } catch {
    return Buffer.alloc(0); // damaged, or not what its first bytes say: a plain file for ADD
  } finally {
    stream.destroy();
  }
  return Buffer.concat(chunks).subarray(0, blockBytes);
}
