import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BerthError, canceled, invalid, messageOf, notFound, unavailable } from '#base';
import type { Descriptor } from '#oci';
import type { Cancelable } from './registry.ts';
import { mayPass, pauseBefore, type RetryPolicy } from './retry.ts';
import type { HttpResponse } from './transport.ts';

/** Sends the request for a blob from byte `from` on; resolves with an answer of any status. */
export type BlobRequest = (from: number) => Promise<HttpResponse>;

/** What {@link downloadBlob} needs. */
export interface BlobDownload extends Cancelable {
  readonly descriptor: Descriptor;
  readonly offset: number;
  readonly request: BlobRequest;
  readonly retry: RetryPolicy;
  /** The error for an answer that is no blob. */
  readonly refuse: (response: HttpResponse) => Promise<Error>;
}

/**
 * Opens a blob. The connection may break as often as the retry policy allows without a byte of progress between; each
 * time the rest is asked for by a range request (RFC 9110, "Range Requests"). Size and, from offset 0, digest are
 * checked before the stream ends.
 */
export async function downloadBlob(download: BlobDownload): Promise<Readable> {
  const first = await start(download, download.offset);
  const stream = Readable.from(bytes(download, first), { objectMode: false, highWaterMark: 256 * 1024 });
  // Destroyed before anybody read: the generator has not begun, and cannot let go of the connection itself.
  stream.once('close', () => first.body.destroy());
  return stream;
}

async function start(download: BlobDownload, from: number): Promise<HttpResponse> {
  const response = await download.request(from);
  if (response.status !== 200 && response.status !== 206) throw await download.refuse(response);
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  const begins = response.status === 206 ? rangeStart(response) : 0;
  const { size, digest } = download.descriptor;
  if (begins === undefined || begins > from || begins + length > size) {
    response.body.destroy();
    throw invalid(
      `registry ${response.url.host} gave the wrong part of blob ${digest}, or more than its ${size} bytes`,
    );
  }
  return response;
}

/** First byte of a Content-Range header (`bytes 5-9/10`). */
function rangeStart(response: HttpResponse): number | undefined {
  const match = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '');
  return match ? Number(match[1]) : undefined;
}

async function* bytes(download: BlobDownload, first: HttpResponse): AsyncGenerator<Buffer> {
  const { descriptor, offset, signal, retry } = download;
  const hash = offset === 0 ? createHash('sha256') : undefined;
  let position = offset;
  let failures = 0;
  let response: HttpResponse | undefined = first;
  while (position < descriptor.size || response !== undefined) {
    try {
      response ??= await start(download, position);
      for await (const chunk of rest(response, position)) {
        position += chunk.length;
        if (position > descriptor.size) {
          throw invalid(`blob ${descriptor.digest} is longer than its ${descriptor.size} bytes`);
        }
        failures = 0;
        hash?.update(chunk);
        yield chunk;
      }
      if (position < descriptor.size) throw unavailable(`blob ${descriptor.digest} broke off after ${position} bytes`);
    } catch (error) {
      if (signal?.aborted) throw canceled(`reading blob ${descriptor.digest} was canceled`, { cause: error });
      const fault = error instanceof BerthError ? error : unavailable(messageOf(error), { cause: error });
      failures += 1;
      if (!mayPass(fault) || failures >= retry.attempts) throw fault;
      await pauseBefore(failures, retry, { signal });
    } finally {
      response?.body.destroy();
    }
    response = undefined;
  }
  const found = hash === undefined ? descriptor.digest : `sha256:${hash.digest('hex')}`;
  if (found !== descriptor.digest) {
    throw invalid(`filesystem layer verification failed for digest ${descriptor.digest}: the registry sent ${found}`, {
      details: { expected: descriptor.digest, found },
    });
  }
}

/** The body from `position` on: a server that knows no ranges sends it all again. */
async function* rest(response: HttpResponse, position: number): AsyncGenerator<Buffer> {
  let skip = position - (response.status === 206 ? (rangeStart(response) ?? 0) : 0);
  for await (const chunk of response.body) {
    const dropped = Math.min(skip, chunk.length);
    skip -= dropped;
    if (dropped < chunk.length) yield chunk.subarray(dropped);
  }
}

/** The error of a blob that is not there, in Docker's words. */
export function blobUnknown(descriptor: Descriptor): Error {
  return notFound(`unknown blob: ${descriptor.digest}`);
}
