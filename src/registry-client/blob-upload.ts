import { PassThrough, pipeline, type Readable } from 'node:stream';
import { type Digest, invalid, isBerthError, notFound } from '#base';
import type { Descriptor } from '#oci';
import type { BlobSource, Cancelable, PushOutcome } from './registry.ts';
import { plainError, readFault } from './registry-errors.ts';
import type { RegistrySession } from './registry-session.ts';
import { isPassing, mayPass, pauseBefore, type RetryPolicy } from './retry.ts';

/** What {@link uploadBlob} needs. */
export interface BlobUpload extends Cancelable {
  /** Repository path. */
  readonly path: string;
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  readonly mountFrom: readonly string[];
  readonly onProgress: ((sent: number) => void) | undefined;
  readonly retry: RetryPolicy;
}

/**
 * Brings a blob into a repository that lacks it (distribution-spec, "Pushing blobs"): by mounting it from another
 * repository where that has it, else as one PUT, or as PATCH and PUT for registries that refuse that. A broken upload
 * begins anew.
 */
export async function uploadBlob(session: RegistrySession, upload: BlobUpload): Promise<PushOutcome> {
  for (const from of upload.mountFrom) {
    let location: URL | undefined;
    try {
      location = await begin(session, upload, { digest: upload.descriptor.digest, from });
    } catch (error) {
      // A neighbour that this login may not read is no reason to fail.
      if (isBerthError(error, 'forbidden') || isBerthError(error, 'unauthorized')) continue;
      throw error;
    }
    if (location === undefined) return { kind: 'mounted', from };
    // Not mounted: the registry has opened an upload instead, as good as any.
    if (from === upload.mountFrom.at(-1)) return send(session, upload, location);
  }
  return send(session, upload, undefined);
}

/** What {@link uploadStream} needs. */
export interface StreamUpload extends Cancelable {
  /** Repository path. */
  readonly path: string;
  readonly stream: Readable;
  readonly digest: () => Promise<Digest>;
}

/** Brings a blob of unknown size into a repository, as PATCH in chunked transfer coding and PUT. Tries once. */
export async function uploadStream(session: RegistrySession, upload: StreamUpload): Promise<void> {
  const location = (await begin(session, upload)) ?? notOpened(session);
  const body = { headers: { 'content-type': 'application/octet-stream' }, stream: async () => upload.stream };
  const next = await patch(session, upload, { location, ...body });
  if (!(next instanceof URL)) throw plainError(next);
  const fault = await close(session, upload, withDigest(next, await upload.digest()));
  if (fault !== undefined) throw plainError(fault);
}

/** What all steps of an upload need. */
interface UploadTarget extends Cancelable {
  readonly path: string;
}

function scopesOf(upload: UploadTarget, from?: string): string[] {
  const own = `repository:${upload.path}:pull,push`;
  return from === undefined ? [own] : [own, `repository:${from}:pull`];
}

/** Opens an upload; undefined when the registry mounted the blob instead. */
async function begin(
  session: RegistrySession,
  upload: UploadTarget,
  mount?: { readonly digest: Digest; readonly from: string },
): Promise<URL | undefined> {
  const from = mount?.from;
  const query =
    mount === undefined ? '' : `?mount=${encodeURIComponent(mount.digest)}&from=${encodeURIComponent(mount.from)}`;
  const response = await session.send({
    method: 'POST',
    target: `/v2/${upload.path}/blobs/uploads/${query}`,
    scopes: scopesOf(upload, from),
    headers: { 'content-length': '0' },
    signal: upload.signal,
  });
  if (response.status === 201 && from !== undefined) {
    response.body.resume();
    return undefined;
  }
  if (response.status !== 202) throw plainError(await readFault(response));
  response.body.resume();
  return locationOf(response.headers.location, response.url);
}

function locationOf(location: string | undefined, base: URL): URL {
  if (location === undefined || !URL.canParse(location, base.href)) {
    throw invalid(`registry ${base.host} gave no place to upload to`);
  }
  return new URL(location, base);
}

async function send(session: RegistrySession, upload: BlobUpload, opened: URL | undefined): Promise<PushOutcome> {
  let location = opened;
  let isChunked = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      location ??= (await begin(session, upload)) ?? notOpened(session);
      const status = await (isChunked ? putInTwo : putWhole)(session, upload, location);
      if (status === undefined) return { kind: 'uploaded' };
      // 400, 405, 411, 415 and the like: this registry wants the other form.
      if (isChunked || isPassing(status.status) || [401, 403, 404].includes(status.status)) throw plainError(status);
      isChunked = true;
      attempt -= 1;
    } catch (error) {
      if (upload.signal?.aborted || attempt >= upload.retry.attempts || !mayPass(error)) throw error;
      await pauseBefore(attempt, upload.retry, { signal: upload.signal });
    }
    location = undefined;
  }
}

function notOpened(session: RegistrySession): never {
  throw notFound(`registry ${session.host} opened no upload`);
}

type Failure = Awaited<ReturnType<typeof readFault>>;

function withDigest(location: URL, digest: string): URL {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url;
}

async function putWhole(session: RegistrySession, upload: BlobUpload, location: URL): Promise<Failure | undefined> {
  const response = await session.send({
    method: 'PUT',
    target: withDigest(location, upload.descriptor.digest),
    scopes: scopesOf(upload),
    headers: contentHeaders(upload),
    body: () => counted(upload),
    attempts: 1,
    signal: upload.signal,
  });
  if (response.status !== 201 && response.status !== 204) return readFault(response);
  response.body.resume();
  return undefined;
}

async function putInTwo(session: RegistrySession, upload: BlobUpload, location: URL): Promise<Failure | undefined> {
  const content = { location, headers: contentHeaders(upload), stream: () => counted(upload) };
  const next = await patch(session, upload, content);
  return next instanceof URL ? close(session, upload, withDigest(next, upload.descriptor.digest)) : next;
}

/** Sends the content of an upload; gives the place to close it at. */
async function patch(
  session: RegistrySession,
  upload: UploadTarget,
  content: {
    readonly location: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly stream: () => Promise<Readable>;
  },
): Promise<URL | Failure> {
  const patched = await session.send({
    method: 'PATCH',
    target: content.location,
    scopes: scopesOf(upload),
    headers: content.headers,
    body: content.stream,
    attempts: 1,
    signal: upload.signal,
  });
  if (patched.status !== 202 && patched.status !== 204) return readFault(patched);
  patched.body.resume();
  return locationOf(patched.headers.location ?? content.location.href, patched.url);
}

/** Ends an upload under the digest in `target`. */
async function close(session: RegistrySession, upload: UploadTarget, target: URL): Promise<Failure | undefined> {
  const put = await session.send({
    method: 'PUT',
    target,
    scopes: scopesOf(upload),
    headers: { 'content-length': '0' },
    attempts: 1,
    signal: upload.signal,
  });
  if (put.status !== 201 && put.status !== 204) return readFault(put);
  put.body.resume();
  return undefined;
}

function contentHeaders(upload: BlobUpload): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'content-length': String(upload.descriptor.size) };
}

/** The blob from its start, telling how much of it went by. */
async function counted(upload: BlobUpload): Promise<Readable> {
  const source = await upload.source(0);
  const { onProgress } = upload;
  if (onProgress === undefined) return source;
  let sent = 0;
  const counter = new PassThrough({ highWaterMark: 256 * 1024 });
  counter.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    onProgress(sent);
  });
  counter.pause();
  pipeline(source, counter, () => {});
  return counter;
}
