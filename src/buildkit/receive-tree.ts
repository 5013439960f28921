import { Readable } from 'node:stream';
import { invalid, unavailable } from '#base';
import { goMode, hasContents, hasMode, readFileList } from './file-list.ts';
import type { GrpcCaller, Metadata } from './grpc.ts';
import { RequestedFiles } from './requested-files.ts';
import { type Packet, packetType, sessionMethods } from './session-methods.ts';
import { endOfTar, tarHeader, tarPadding } from './tar-entry.ts';

/** What is asked of a client's file sync. */
export interface ReceiveTreeOptions {
  /** `dir-name`, `include-patterns`, `exclude-patterns`, `followpaths`. */
  readonly metadata: Metadata;
  readonly signal?: AbortSignal;
  /** Hears how many bytes of contents have come so far, after each chunk. */
  readonly onBytes?: (total: number) => void;
}

const empty = new Uint8Array(0);

/**
 * Receives a tree by file sync (`moby.filesync.v1.FileSync/DiffCopy`, fsutil's protocol) as a tar stream, in the order of
 * the list. Nothing is asked before the stream is read; destroying it ends the call. The stream fails with `invalid`
 * for a peer that breaks the protocol and for files that change while they are sent, with the peer's own error, and
 * with `unavailable` when the connection ends. Sockets are left out.
 */
export function receiveTree(caller: GrpcCaller, options: ReceiveTreeOptions): Readable {
  const call = new AbortController();
  const signal = options.signal === undefined ? call.signal : AbortSignal.any([options.signal, call.signal]);
  const blocks = tarOf(caller, { ...options, signal });
  return new Readable({
    highWaterMark: 1 << 16,
    read() {
      blocks.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
      );
    },
    destroy(error, done) {
      // The generator may be waiting for a packet; only the end of its call ends that.
      call.abort();
      done(error);
    },
  });
}

/** A file received whole: its contents, or where it points to if it is a symbolic link. */
export type ReceivedFile = { readonly data: Buffer } | { readonly linkname: string };

/**
 * Receives a few files whole, by their paths; what is neither file nor symbolic link is left out. Throws as the stream of
 * {@link receiveTree} does, and `invalid` for more than `maxBytes` in all.
 */
export async function receiveFiles(
  caller: GrpcCaller,
  options: ReceiveTreeOptions & { readonly maxBytes: number },
): Promise<Map<string, ReceivedFile>> {
  const call = new AbortController();
  const signal = options.signal === undefined ? call.signal : AbortSignal.any([options.signal, call.signal]);
  try {
    return await readFiles(await openTree(caller, { ...options, signal }), options.maxBytes);
  } finally {
    call.abort();
  }
}

async function readFiles(
  { files, contents, finish }: Awaited<ReturnType<typeof openTree>>,
  maxBytes: number,
): Promise<Map<string, ReceivedFile>> {
  const total = files.reduce((sum, { stat }) => sum + (hasContents(stat) ? stat.size : 0), 0);
  if (total > maxBytes) throw invalid(`the files are larger than ${maxBytes} bytes`);
  const received = new Map<string, ReceivedFile>();
  for (const { id, stat } of files) {
    if (hasMode(stat.mode, goMode.symlink)) received.set(stat.path, { linkname: stat.linkname });
    if (!hasContents(stat)) continue;
    const chunks: Uint8Array[] = [];
    if (stat.size > 0) for await (const chunk of contents.of(id)) chunks.push(chunk);
    received.set(stat.path, { data: Buffer.concat(chunks) });
  }
  await finish();
  return received;
}

/** Opens the call and reads the list of files. */
async function openTree(caller: GrpcCaller, { metadata, onBytes, signal }: ReceiveTreeOptions) {
  const stream = caller.open(sessionMethods.sendFiles, { metadata, ...(signal === undefined ? {} : { signal }) });
  const packets = stream.received[Symbol.asyncIterator]();
  const files = await readFileList(packets);
  const contents = new RequestedFiles({
    files: files.filter(({ stat }) => hasContents(stat) && stat.size > 0),
    packets,
    request: (id) => stream.send({ type: packetType.request, ID: id, data: empty }),
    ...(onBytes === undefined ? {} : { onBytes }),
  });
  const finish = async () => {
    await stream.send({ type: packetType.finished, ID: 0, data: empty });
    stream.end();
    await readEnd(packets);
  };
  return { files, contents, finish };
}

async function* tarOf(caller: GrpcCaller, options: ReceiveTreeOptions): AsyncGenerator<Uint8Array> {
  const { files, contents, finish } = await openTree(caller, options);
  for (const { id, stat } of files) {
    const header = tarHeader(stat);
    if (header === undefined) continue;
    yield header;
    if (!hasContents(stat) || stat.size === 0) continue;
    yield* contents.of(id);
    const padding = tarPadding(stat.size);
    if (padding.length > 0) yield padding;
  }
  await finish();
  yield endOfTar;
}

/** The other end confirms that all was taken, then ends the call. */
async function readEnd(packets: AsyncIterator<Packet>): Promise<void> {
  const last = await packets.next();
  if (last.done) return;
  if (last.value.type === packetType.error) throw unavailable(Buffer.from(last.value.data).toString('utf8'));
  if (last.value.type !== packetType.finished || !(await packets.next()).done) {
    throw invalid('file sync: more packets than were asked for');
  }
}
