import type { FastifyRequest } from 'fastify';
import { invalid } from '#base';
import { bodyOf } from './context.ts';

/** Reads a whole body of at most `most` bytes. Throws `invalid` when it is larger; `what` is said then. */
export async function readBytes(
  request: FastifyRequest,
  { most, what }: { most: number; what: string },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(request)) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > most) throw invalid(`request body too large: more than ${most} bytes of ${what}`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
