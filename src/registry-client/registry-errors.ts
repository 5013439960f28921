import { BerthError, type ErrorKind, invalid, notFound, timedOut, unavailable } from '#base';
import type { HttpResponse } from './transport.ts';

/** First error of a registry's answer (distribution-spec, "Error Codes"). */
export interface RegistryFault {
  readonly status: number;
  /** `MANIFEST_UNKNOWN`; empty when the body was not in the spec's form. */
  readonly code: string;
  readonly message: string;
}

/** Reads a body of at most `limit` bytes. Throws `invalid` above that, `unavailable` when it breaks off. */
export async function readBody(response: HttpResponse, limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > limit) throw invalid(`${what} of ${response.url.host} is larger than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw unavailable(`${what} of ${response.url.host} broke off: ${String(error)}`, { cause: error });
  }
  return Buffer.concat(chunks);
}

const faultLimit = 64 * 1024;

/** Reads what a registry says about a failed request, and frees the connection. */
export async function readFault(response: HttpResponse): Promise<RegistryFault> {
  const { status } = response;
  try {
    const text = (await readBody(response, faultLimit, 'error answer')).toString('utf8');
    const document: unknown = JSON.parse(text);
    const first = listOf(fieldOf(document, 'errors'))[0];
    const message = fieldOf(first, 'message');
    const code = fieldOf(first, 'code');
    return {
      status,
      code: typeof code === 'string' ? code : '',
      message: typeof message === 'string' ? message : String(fieldOf(document, 'details') ?? ''),
    };
  } catch {
    return { status, code: '', message: '' };
  }
}

/** A field of parsed JSON, undefined when there is none. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The fault in Docker's words: `manifest unknown: manifest unknown`. */
export function faultText(fault: RegistryFault): string {
  const code = fault.code.toLowerCase().replaceAll('_', ' ');
  if (code !== '') return `${code}: ${fault.message || code}`;
  if (fault.status === 401) return 'unauthorized: authentication required';
  if (fault.status === 403) return 'denied: requested access to the resource is denied';
  if (fault.status === 404) return 'not found';
  return `received unexpected HTTP status: ${fault.status}`;
}

/** Which kind of error an HTTP status of a registry stands for. */
export function kindOf(status: number): ErrorKind {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 408) return 'timeout';
  return status === 429 || status >= 500 ? 'unavailable' : 'invalid';
}

/** What a read asked for, for messages. */
export interface ReadSubject {
  /** As users write it: `debian`, `localhost:5000/app`. */
  readonly name: string;
  /** The same with tag or digest. */
  readonly target: string;
}

/** The error of a failed read, with the words that Docker's daemon puts before the registry's. */
export function readError(fault: RegistryFault, subject: ReadSubject): Error {
  const text = faultText(fault);
  const details = { status: fault.status, code: fault.code };
  if (fault.code === 'DENIED' || fault.status === 403) {
    const advice = "repository does not exist or may require 'docker login'";
    return notFound(`pull access denied for ${subject.name}, ${advice}: ${text}`, { details });
  }
  if (fault.code === 'NAME_UNKNOWN') return notFound(`repository ${subject.name} not found: ${text}`, { details });
  if (fault.code === 'MANIFEST_UNKNOWN' || (fault.status === 404 && fault.code === '')) {
    const why = fault.code === '' ? 'manifest unknown: manifest unknown' : text;
    return notFound(`manifest for ${subject.target} not found: ${why}`, { details });
  }
  return new BerthError(kindOf(fault.status), text, { details });
}

/** The error of any other failed request. */
export function plainError(fault: RegistryFault): Error {
  const details = { status: fault.status, code: fault.code };
  if (fault.status === 408) return timedOut(faultText(fault), { details });
  return new BerthError(kindOf(fault.status), faultText(fault), { details });
}
