import { Readable } from 'node:stream';
import { invalid, unavailable } from '#base';
import { hasContents, readFileList } from './file-list.ts';
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

async function* tarOf(
  caller: GrpcCaller,
  { metadata, onBytes, ...options }: ReceiveTreeOptions,
): AsyncGenerator<Uint8Array> {
  const stream = caller.open(sessionMethods.sendFiles, { metadata, ...options });
  const packets = stream.received[Symbol.asyncIterator]();
  const files = await readFileList(packets);
  const contents = new RequestedFiles({
    files: files.filter(({ stat }) => hasContents(stat) && stat.size > 0),
    packets,
    request: (id) => stream.send({ type: packetType.request, ID: id, data: empty }),
    ...(onBytes === undefined ? {} : { onBytes }),
  });
  for (const { id, stat } of files) {
    const header = tarHeader(stat);
    if (header === undefined) continue;
    yield header;
    if (!hasContents(stat) || stat.size === 0) continue;
    yield* contents.of(id);
    const padding = tarPadding(stat.size);
    if (padding.length > 0) yield padding;
  }
  await stream.send({ type: packetType.finished, ID: 0, data: empty });
  stream.end();
  await readEnd(packets);
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
