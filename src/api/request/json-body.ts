import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { invalid } from '#base';
import { decodeJson } from '../decode/go-json.ts';
import { readBytes } from './read-bytes.ts';

/** Largest JSON body read, in bytes; above it the request is refused. */
const maxJsonBytes = 8 * 1024 * 1024;

/** Reads and checks a JSON body that must be there. Throws `invalid` with Docker's texts. */
export async function readJson<T extends z.ZodType>(request: FastifyRequest, schema: T): Promise<z.output<T>> {
  const text = await jsonText(request);
  if (text === '') throw invalid('invalid JSON: got EOF while reading request body');
  return decodeJson(text, schema);
}

/** Reads and checks a JSON body that may be missing: then it counts as `{}`. */
export async function readOptionalJson<T extends z.ZodType>(request: FastifyRequest, schema: T): Promise<z.output<T>> {
  return decodeJson((await jsonText(request)) || '{}', schema);
}

async function jsonText(request: FastifyRequest): Promise<string> {
  const text = (await readBytes(request, { most: maxJsonBytes, what: 'JSON' })).toString('utf8');
  const type = request.headers['content-type'];
  if ((text !== '' || type !== undefined) && type?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw invalid(`unsupported Content-Type header (${type ?? ''}): must be 'application/json'`);
  }
  return text.trim();
}
