import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { S3mini, UploadPart } from 's3mini';
import { z } from 'zod';
import { invalid, isBerthError, messageOf, notFound, unavailable } from '#base';

/** Where blobs are kept and who asks. */
export interface S3Options {
  /** Such as `https://s3.example.com`; the bucket is the first part of the path (path-style addresses). */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Before all names in the bucket, such as `registry/`; may be empty. */
  readonly prefix: string;
  /** Bytes that the service copies in one request; default 5 GiB, as S3 does. Longer objects are copied in parts. */
  readonly copyLimit?: number | undefined;
}

/** An object in a list. */
export interface ListedObject {
  /** Without the prefix. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** When it was written, ms since the epoch. */
  readonly writtenAt: number;
}

/** An upload in parts that has not ended. */
export interface ListedUpload {
  /** Without the prefix. */
  readonly key: string;
  readonly id: string;
  /** When it was begun, ms since the epoch. */
  readonly begunAt: number;
}

/** A part of an upload, as the service confirmed it. */
export type Part = UploadPart;

/** Names in one page of a list; the most that the services give. */
const pageSize = 1000;
const attempts = 4;
/** First pause before a request is repeated, ms; doubled each time. */
const backoff = 200;
const contentType = 'application/octet-stream';
const gib = 1024 ** 3;
/** Bytes of a part that the service copies: it answers for one within its time, and several go at the same time. */
const copyPart = gib / 2;
const copiesAtOnce = 4;
/** Life of a signed address, seconds. */
const signedFor = 300;

const listedUpload = z.object({ Key: z.string(), UploadId: z.string(), Initiated: z.string() });
/** ListMultipartUploads: one entry is given as itself, several as a list. */
const uploadPage = z.object({
  ListMultipartUploadsResult: z.object({
    Upload: z.union([z.array(listedUpload), listedUpload.transform((upload) => [upload])]).default([]),
    NextKeyMarker: z.string().optional(),
    NextUploadIdMarker: z.string().optional(),
  }),
});

/**
 * A bucket of an S3-compatible service, in our errors: `not-found` for objects that are not there, `unavailable` for a service
 * that refuses or fails. Requests that can be repeated are, where the service is overloaded or the network fails.
 */
export class S3Bucket {
  readonly #client: S3mini;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #copyLimit: number;

  private constructor(client: S3mini, options: S3Options) {
    this.#client = client;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix;
    this.#copyLimit = options.copyLimit ?? 5 * gib;
  }

  /** Makes sure that the bucket can be used. Throws `invalid` for faulty settings, `unavailable` for a service that does not answer so. */
  static async open(options: S3Options): Promise<S3Bucket> {
    const { S3mini } = await import('s3mini');
    const { endpoint, bucket, region, accessKey, secretKey } = options;
    let client: S3mini;
    try {
      client = new S3mini({
        endpoint: `${endpoint.replace(/\/+$/, '')}/${bucket}`,
        region,
        accessKeyId: accessKey,
        secretAccessKey: secretKey,
      });
    } catch (error) {
      throw invalid(`storage.s3: ${messageOf(error)}`);
    }
    const opened = new S3Bucket(client, options);
    for await (const _ of opened.list('blobs/')) break;
    return opened;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#ask(`write ${key}`, () => this.#client.putObject(this.#name(key), bytes, contentType));
  }

  /** The whole object, undefined where there is none. For small ones. */
  async read(key: string): Promise<Buffer | undefined> {
    try {
      const response = await this.#ask(`read ${key}`, () => this.#client.getObjectRaw(this.#name(key)));
      return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      if (isBerthError(error, 'not-found')) return undefined;
      throw error;
    }
  }

  /** A stream of the object, or of the bytes from `start` to `end` (included). Throws `not-found` before it returns. */
  async open(key: string, range: { start?: number; end?: number } = {}): Promise<Readable> {
    const { start = 0, end } = range;
    const whole = start === 0 && end === undefined;
    const response = await this.#ask(`read ${key}`, () =>
      this.#client.getObjectRaw(this.#name(key), whole, start, end === undefined ? undefined : end + 1),
    );
    if (response.body === null) return Readable.from([]);
    return Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
  }

  /** Bytes. Throws `not-found`. */
  async size(key: string): Promise<number> {
    return this.#ask(`look at ${key}`, () => this.#client.getContentLength(this.#name(key)));
  }

  /** An object that is not there is a success. */
  async remove(key: string): Promise<void> {
    try {
      await this.#ask(`remove ${key}`, () => this.#client.deleteObject(this.#name(key)));
    } catch (error) {
      if (!isBerthError(error, 'not-found')) throw error;
    }
  }

  /** Copies an object of `size` bytes inside the service. Where it throws, `to` is as it was. */
  async copy(from: string, to: string, size: number): Promise<void> {
    if (size > this.#copyLimit) return this.#copyParts(from, to, size);
    await this.#ask(`copy ${from}`, () => this.#client.copyObject(this.#name(from), this.#name(to)));
  }

  /** Objects whose key begins with `prefix`. */
  async *list(prefix: string): AsyncGenerator<ListedObject> {
    let token: string | undefined;
    do {
      const page = await this.#ask(`list ${prefix}`, () =>
        this.#client.listObjectsPaged('/', this.#name(prefix), pageSize, token),
      );
      if (page === undefined || page === null) throw unavailable('the bucket does not exist; create it first');
      for (const { Key, Size, LastModified } of page.objects ?? []) {
        yield { key: Key.slice(this.#prefix.length), size: Number(Size), writtenAt: new Date(LastModified).getTime() };
      }
      token = page.nextContinuationToken;
    } while (token !== undefined);
  }

  /** Begins an object of several parts and returns the upload's id. */
  async beginParts(key: string): Promise<string> {
    return this.#ask(`begin ${key}`, () => this.#client.getMultipartUploadId(this.#name(key), contentType));
  }

  /** Writes a part (from 1 on); the same number again takes the place of the former. All but the last have 5 MiB or more. */
  async putPart(key: string, upload: string, part: { number: number; bytes: Uint8Array }): Promise<Part> {
    return this.#ask(`write ${key}`, () => this.#client.uploadPart(this.#name(key), upload, part.bytes, part.number));
  }

  /** Makes the object of its parts. Throws `not-found` where the upload is gone. */
  async finishParts(key: string, upload: string, parts: readonly Part[]): Promise<void> {
    await this.#ask(`finish ${key}`, async () => {
      const done = await this.#client.completeMultipartUpload(this.#name(key), upload, [...parts]);
      // The service may have begun to answer 200 before it failed (S3 API, CompleteMultipartUpload).
      if (!('etag' in done) || typeof done.etag !== 'string') throw new Error(`no ETag in ${JSON.stringify(done)}`);
    });
  }

  /** Uploads in parts, not ended, of objects whose key begins with `prefix`. */
  async *listParts(prefix: string): AsyncGenerator<ListedUpload> {
    let from: { 'key-marker'?: string; 'upload-id-marker'?: string } = {};
    for (;;) {
      const query = { prefix: this.#name(prefix), 'max-uploads': pageSize, ...from };
      const answer = await this.#ask(`list uploads of ${prefix}`, () =>
        this.#client.listMultipartUploads('/', '/', 'GET', query),
      );
      const page = uploadPage.safeParse(answer);
      if (!page.success) throw unavailable(`S3: the list of uploads has no known form: ${messageOf(page.error)}`);
      const { Upload, NextKeyMarker, NextUploadIdMarker } = page.data.ListMultipartUploadsResult;
      for (const { Key, UploadId, Initiated } of Upload) {
        yield { key: Key.slice(this.#prefix.length), id: UploadId, begunAt: new Date(Initiated).getTime() };
      }
      // Whether the list is cut off is not said alike by all services; where it goes on is.
      if (Upload.length === 0 || !NextKeyMarker || !NextUploadIdMarker) return;
      from = { 'key-marker': NextKeyMarker, 'upload-id-marker': NextUploadIdMarker };
    }
  }

  /** Drops the parts; an upload that is not there is a success. */
  async dropParts(key: string, upload: string): Promise<void> {
    try {
      await this.#ask(`drop ${key}`, () => this.#client.abortMultipartUpload(this.#name(key), upload));
    } catch (error) {
      if (!isBerthError(error, 'not-found')) throw error;
    }
  }

  async #copyParts(from: string, to: string, size: number): Promise<void> {
    const upload = await this.beginParts(to);
    try {
      const length = Math.min(copyPart, this.#copyLimit);
      const parts: Part[] = [];
      let next = 0;
      const copySome = async () => {
        while (next * length < size) {
          const start = next * length;
          next += 1;
          const number = next;
          parts.push(
            await this.#copyPart(from, to, { upload, number, start, end: Math.min(start + length, size) - 1 }),
          );
        }
      };
      const copies = await Promise.allSettled(Array.from({ length: copiesAtOnce }, copySome));
      for (const copy of copies) if (copy.status === 'rejected') throw copy.reason;
      parts.sort((a, b) => a.partNumber - b.partNumber);
      await this.finishParts(to, upload, parts);
    } catch (error) {
      await this.dropParts(to, upload);
      throw error;
    }
  }

  /** UploadPartCopy, which the client lacks: a request that it signs. `end` is included. */
  async #copyPart(
    from: string,
    to: string,
    part: { upload: string; number: number; start: number; end: number },
  ): Promise<Part> {
    const headers = {
      'x-amz-copy-source': encodeURI(`/${this.#bucket}/${this.#name(from)}`),
      'x-amz-copy-source-range': `bytes=${part.start}-${part.end}`,
    };
    const query = { uploadId: part.upload, partNumber: String(part.number) };
    return this.#ask(`copy ${from}`, async () => {
      const url = await this.#client.getPresignedUrl('PUT', this.#name(to), signedFor, query, headers);
      const response = await fetch(url, { method: 'PUT', headers });
      const text = await response.text();
      const etag = /<ETag>(?:"|&quot;)?([^"&<]+)/.exec(text)?.[1];
      // As with CompleteMultipartUpload, an error may come after a 200.
      if (response.ok && etag !== undefined) return { partNumber: part.number, etag };
      const failed = new Error(`answered ${response.status} ${text.slice(0, 300)}`);
      throw response.ok ? failed : Object.assign(failed, { status: response.status });
    });
  }

  #name(key: string): string {
    return this.#prefix + key;
  }

  async #ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await question();
      } catch (error) {
        const status = statusOf(error);
        if (status === 404) throw notFound(`S3: cannot ${what}: not there`, { cause: error });
        const passing = status === undefined || status === 429 || status >= 500;
        if (!passing || attempt === attempts) {
          throw unavailable(`S3: cannot ${what}: ${messageOf(error)}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, backoff * 2 ** (attempt - 1)));
      }
    }
  }
}

/** The status of the service's answer, also where the client wrapped it; undefined where there was no answer. */
function statusOf(error: unknown): number | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('status' in at && typeof at.status === 'number') return at.status;
  }
  return undefined;
}
