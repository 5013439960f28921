import { z } from 'zod';

const schema = z.object({
  dataKey: z.string(),
  upload: z.string().optional(),
  parts: z.array(z.object({ partNumber: z.number(), etag: z.string() })),
  size: z.number(),
  hash: z.string().optional(),
});

/** A write under way, as it is kept between requests: enough for any server to go on with it. */
export interface UploadState {
  /** Where the bytes are gathered. */
  readonly dataKey: string;
  /** The id of the upload in parts, once the bytes are more than one part. */
  readonly upload: string | undefined;
  readonly parts: readonly { readonly partNumber: number; readonly etag: string }[];
  /** Bytes, those of the tail included. */
  readonly size: number;
  /** The running SHA-256 over all bytes, as hash-wasm saves it, base64; undefined before the first. */
  readonly hash: string | undefined;
  /** Bytes after the last part. */
  readonly tail: Buffer;
}

/** The state of a write that begins. */
export function freshState(dataKey: string): UploadState {
  return { dataKey, upload: undefined, parts: [], size: 0, hash: undefined, tail: Buffer.alloc(0) };
}

/** One object for all of it, so that it changes at once: a line of JSON, then the tail. */
export function writeState({ tail, ...state }: UploadState): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(state)}\n`), tail]);
}

/** Undefined for what is no state: the write then begins anew. */
export function readState(bytes: Buffer): UploadState | undefined {
  const end = bytes.indexOf(0x0a);
  try {
    const { upload, hash, ...state } = schema.parse(JSON.parse(bytes.toString('utf8', 0, end)));
    return { ...state, upload, hash, tail: bytes.subarray(end + 1) };
  } catch {
    return undefined;
  }
}
