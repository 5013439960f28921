import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { S3mini, UploadPart } from 's3mini';
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

/** A part of an upload, as the service confirmed it. */
export type Part = UploadPart;

/** Names in one page of a list; the most that the services give. */
const pageSize = 1000;
const attempts = 4;
/** First pause before a request is repeated, ms; doubled each time. */
const backoff = 200;
const contentType = 'application/octet-stream';

/**
 * A bucket of an S3-compatible service, in our errors: `not-found` for objects that are not there, `unavailable` for a service
 * that refuses or fails. Requests that can be repeated are, where the service is overloaded or the network fails.
 */
export class S3Bucket {
  readonly #client: S3mini;
  readonly #prefix: string;

  private constructor(client: S3mini, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  /** Makes sure that the bucket can be used. Throws `invalid` for faulty settings, `unavailable` for a service that does not answer so. */
  static async open(options: S3Options): Promise<S3Bucket> {
    const { S3mini } = await import('s3mini');
    const { endpoint, bucket, region, accessKey, secretKey, prefix } = options;
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
    const opened = new S3Bucket(client, prefix);
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

  /** Copies an object of up to 5 GiB inside the service. */
  async copy(from: string, to: string): Promise<void> {
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

  /** Makes the object of its parts. */
  async finishParts(key: string, upload: string, parts: readonly Part[]): Promise<void> {
    await this.#ask(`finish ${key}`, () => this.#client.completeMultipartUpload(this.#name(key), upload, [...parts]));
  }

  /** Drops the parts; an upload that is not there is a success. */
  async dropParts(key: string, upload: string): Promise<void> {
    try {
      await this.#ask(`drop ${key}`, () => this.#client.abortMultipartUpload(this.#name(key), upload));
    } catch (error) {
      if (!isBerthError(error, 'not-found')) throw error;
    }
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
