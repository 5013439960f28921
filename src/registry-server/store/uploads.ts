import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Digest, isBerthError } from '#base';
import { fault, RegistryFault } from '../faults.ts';
import type { Locks } from '../locks.ts';
import type { BlobLink, UploadRecords, WriteTerms } from '../records/records.ts';
import type { BlobStorage, StorageWriter } from './blob-storage.ts';
import type { Blobs } from './blobs.ts';
import { gather } from './gather.ts';

/** An upload begun so many ms ago is given up, where the settings say nothing else. */
export const defaultUploadLifetime = 24 * 3600_000;

/** Bytes written at a time. */
const batch = 512 * 1024;

/** What {@link Uploads} is made of. */
export interface UploadsOptions {
  readonly storage: BlobStorage;
  readonly records: UploadRecords;
  readonly blobs: Blobs;
  /** Keyed `upload:ID`: one request at a time, on whichever server. */
  readonly locks: Locks;
  /** Largest blob, bytes. */
  readonly maxBlob: number;
  /**
   * A writer that nobody used for so many ms is put away; the upload goes on with another later. 0 puts it away with every
   * request, so that the next can go to another server.
   */
  readonly idle: number;
}

/** Bytes of a request for an upload, and where its client says they belong. */
export interface UploadChunk {
  readonly body: Readable;
  /** Content-Range of a chunk: first byte, and last where it was given. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  /** Bytes that may still be written before a quota is passed. */
  readonly room: number;
}

interface OpenUpload {
  readonly writer: StorageWriter;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Uploads of blobs (distribution-spec, "Pushing blobs"). An upload is a row in the records and a keyed write in the blob
 * storage: what was received survives a cut connection and the death of the server, and the client goes on where
 * `status` says. Between requests the open writer, with its running hash, is kept for a while.
 */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #open = new Map<string, OpenUpload>();

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** Uploads whose writer is held open. */
  get active(): number {
    return this.#open.size;
  }

  /** Begins an upload and returns its id. */
  async begin(repository: string): Promise<string> {
    const id = randomUUID();
    await this.#options.records.beginUpload(id, repository);
    return id;
  }

  /** Bytes received so far. Throws BLOB_UPLOAD_UNKNOWN. */
  async status(repository: string, id: string): Promise<number> {
    await this.#known(repository, id);
    const open = this.#open.get(id);
    if (open !== undefined) return open.writer.size;
    return this.#use(id, async (writer) => writer.size);
  }

  /**
   * Appends a chunk and returns the bytes received so far. Throws BLOB_UPLOAD_INVALID with `details.size` for a chunk
   * that does not begin there, SIZE_INVALID, DENIED. What arrived before a cut stays.
   */
  async append(repository: string, id: string, chunk: UploadChunk): Promise<number> {
    await this.#known(repository, id);
    return this.#use(id, async (writer) => {
      await this.#write(writer, chunk);
      return writer.size;
    });
  }

  /** Appends what the last request brings, checks the digest and links the blob. */
  async finish(
    repository: string,
    id: string,
    last: { chunk: UploadChunk; digest: Digest; terms: WriteTerms },
  ): Promise<BlobLink> {
    await this.#known(repository, id);
    return this.#use(id, async (writer) => {
      await this.#write(writer, last.chunk);
      const { blobs, records } = this.#options;
      try {
        return await blobs.commit(repository, last.digest, { writer, terms: last.terms });
      } catch (error) {
        // A server that died while it finished this upload has used up what was received.
        throw isBerthError(error, 'not-found') ? unknownUpload(repository, id) : error;
      } finally {
        // The bytes are committed or dropped: the upload has ended either way.
        this.#forget(id);
        await records.endUpload(id);
      }
    });
  }

  /** A whole blob in one request, without an upload that could be taken up again. */
  async put(
    repository: string,
    digest: Digest,
    content: { body: Readable; room: number; terms: WriteTerms },
  ): Promise<BlobLink> {
    const writer = await this.#options.storage.writer();
    try {
      await this.#write(writer, content);
      return await this.#options.blobs.commit(repository, digest, { writer, terms: content.terms });
    } finally {
      await writer.abort();
    }
  }

  /** Drops an upload. Throws BLOB_UPLOAD_UNKNOWN, and BLOB_UPLOAD_INVALID while a request writes to it. */
  async cancel(repository: string, id: string): Promise<void> {
    await this.#known(repository, id);
    await this.#drop(id);
  }

  /** Drops uploads begun before `before` (ms since the epoch) that nobody writes to; returns how many. */
  async expire(before: number, limit: number): Promise<number> {
    let dropped = 0;
    for (const id of await this.#options.records.uploadsBefore(before, limit)) {
      if (this.#open.has(id)) continue;
      try {
        await this.#drop(id);
        dropped += 1;
      } catch (error) {
        if (!(error instanceof RegistryFault) || error.details.busy !== true) throw error;
      }
    }
    return dropped;
  }

  /** Puts all writers away; their uploads can be taken up by the next server. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.#putAway(id)));
  }

  async #drop(id: string): Promise<void> {
    await this.#use(id, async (writer) => {
      await writer.abort();
      this.#forget(id);
    });
    await this.#options.records.endUpload(id);
  }

  async #write(writer: StorageWriter, chunk: UploadChunk): Promise<void> {
    const { range, room } = chunk;
    const begin = writer.size;
    if (range !== undefined && range.start !== begin) {
      throw fault('BLOB_UPLOAD_INVALID', `chunk begins at ${range.start}, the upload has ${begin} bytes`, {
        size: begin,
      });
    }
    for await (const bytes of gather(chunk.body, batch)) {
      const size = writer.size + bytes.length;
      if (range !== undefined && size > range.end + 1) {
        throw fault('SIZE_INVALID', `chunk is longer than its Content-Range ${range.start}-${range.end}`);
      }
      if (size > this.#options.maxBlob) {
        throw fault('SIZE_INVALID', `blob is larger than ${this.#options.maxBlob} bytes, which this registry allows`);
      }
      if (size - begin > room) {
        throw fault(
          'DENIED',
          `quota exceeded: ${Math.max(0, room)} bytes are left here; delete images you do not need`,
          { room },
        );
      }
      await writer.write(bytes);
    }
    if (range !== undefined && writer.size !== range.end + 1) {
      throw fault('SIZE_INVALID', `chunk is shorter than its Content-Range ${range.start}-${range.end}`);
    }
  }

  async #known(repository: string, id: string): Promise<void> {
    if (await this.#options.records.hasUpload(id, repository)) return;
    throw unknownUpload(repository, id);
  }

  /** Runs `task` with the upload's writer, alone. */
  async #use<T>(id: string, task: (writer: StorageWriter) => Promise<T>): Promise<T> {
    let begun = false;
    const locked = async () => {
      begun = true;
      const upload = this.#open.get(id) ?? (await this.#reopen(id));
      clearTimeout(upload.timer);
      try {
        return await task(upload.writer);
      } finally {
        await this.#rest(id, upload);
      }
    };
    try {
      return await this.#options.locks.run(`upload:${id}`, locked, { wait: false });
    } catch (error) {
      throw !begun && isBerthError(error, 'conflict') ? busyUpload(id) : error;
    }
  }

  /** After a request: puts the writer away, now or when nobody came for it. */
  async #rest(id: string, upload: OpenUpload): Promise<void> {
    if (this.#open.get(id) !== upload) return;
    const { idle } = this.#options;
    if (idle === 0) await this.#putAway(id);
    else upload.timer = setTimeout(() => void this.#putAway(id), idle).unref();
  }

  async #reopen(id: string): Promise<OpenUpload> {
    try {
      const writer = await this.#options.storage.writer({ key: `upload:${id}` });
      const upload = { writer, timer: undefined };
      this.#open.set(id, upload);
      return upload;
    } catch (error) {
      throw isBerthError(error, 'conflict') ? busyUpload(id) : error;
    }
  }

  #forget(id: string): void {
    clearTimeout(this.#open.get(id)?.timer);
    this.#open.delete(id);
  }

  async #putAway(id: string): Promise<void> {
    const upload = this.#open.get(id);
    this.#forget(id);
    await upload?.writer.abort({ keep: true });
  }
}

function unknownUpload(repository: string, id: string) {
  return fault('BLOB_UPLOAD_UNKNOWN', `upload ${id.slice(0, 64)} unknown to repository ${repository}; begin another`);
}

function busyUpload(id: string) {
  return fault('BLOB_UPLOAD_INVALID', `upload ${id} is being written by another request`, { busy: true });
}
