import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict, errnoOf, invalid, messageOf, unavailable } from '#base';
import { followPaths } from './follow-paths.ts';
import type { MessageStream } from './grpc.ts';
import { type Packet, packetType } from './session-methods.ts';
import { TreeFilter } from './tree-filter.ts';
import { type TreeEntry, walkTree } from './walk-tree.ts';

/** Which files of which directory are sent. */
export interface SentTree {
  /** Nothing outside of it is ever read. */
  readonly directory: string;
  /** Patterns as in a `.dockerignore`; none: all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Paths that are sent with the links on them and what these point to; none: no limit beyond `include`. */
  readonly follow: readonly string[];
}

/** Bytes of one message of contents. */
const chunkSize = 1 << 16;
/** Files whose contents are on their way at a time. */
const filesAtOnce = 4;
const nothing = new Uint8Array(0);

type Packets = MessageStream<Packet, Packet>;

/** Opens a file of the tree; it must be the one that was listed, so a link put in its place (or on its way) leads nowhere. */
async function openListed(root: string, entry: TreeEntry): Promise<FileHandle> {
  const { path } = entry.stat;
  try {
    const file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { dev, ino } = await file.stat();
    if (dev === entry.device && ino === entry.inode) return file;
    await file.close();
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) throw error;
  }
  throw conflict(`${path} was removed or replaced while the build was reading its context: build again`);
}

/** One answer to a request for a tree. */
class TreeSender {
  readonly #stream: Packets;
  readonly #root: string;
  readonly #signal: AbortSignal;
  /** Files by number, until they are asked for: each may be once. */
  readonly #files = new Map<number, TreeEntry>();
  readonly #queue: { id: number; entry: TreeEntry }[] = [];
  #workers = 0;
  #over = false;
  readonly #failed: Promise<never>;
  readonly #fail: (error: unknown) => void;

  constructor(stream: Packets, options: { root: string; signal: AbortSignal }) {
    this.#stream = stream;
    this.#root = options.root;
    this.#signal = options.signal;
    let fail: (error: unknown) => void = () => undefined;
    this.#failed = new Promise((_resolve, reject) => {
      fail = reject;
    });
    this.#fail = fail;
    this.#failed.catch(() => undefined);
  }

  /** Sends the list and what is asked for of it, until the other end has all. */
  async run(filter: TreeFilter): Promise<void> {
    this.#list(filter).catch(this.#fail);
    try {
      await Promise.race([this.#serveRequests(), this.#failed]);
    } finally {
      // What still waits for room to send is woken by the end of the call.
      this.#over = true;
      this.#queue.length = 0;
    }
  }

  async #list(filter: TreeFilter): Promise<void> {
    let id = 0;
    for await (const entry of walkTree(this.#root, filter)) {
      if (this.#over) return;
      this.#signal.throwIfAborted();
      if (entry.hasContents) this.#files.set(id, entry);
      await this.#stream.send({ type: packetType.stat, stat: entry.stat, ID: 0, data: nothing });
      id += 1;
    }
    await this.#stream.send({ type: packetType.stat, ID: 0, data: nothing });
  }

  async #serveRequests(): Promise<void> {
    for await (const packet of this.#stream.received) {
      if (packet.type === packetType.finished) {
        await this.#stream.send({ type: packetType.finished, ID: 0, data: nothing });
        return;
      }
      if (packet.type === packetType.error) {
        throw unavailable(`the engine could not take the files: ${Buffer.from(packet.data).toString()}`);
      }
      if (packet.type !== packetType.request) throw invalid(`unexpected packet of type ${packet.type} in a file sync`);
      const entry = this.#files.get(packet.ID);
      if (entry === undefined) throw invalid(`file ${packet.ID} was asked for and is none that was offered`);
      this.#files.delete(packet.ID);
      this.#queue.push({ id: packet.ID, entry });
      if (this.#workers < filesAtOnce) void this.#work();
    }
    throw unavailable('the file sync ended before all files were taken');
  }

  async #work(): Promise<void> {
    this.#workers += 1;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        await this.#sendContents(next.id, next.entry);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#workers -= 1;
    }
  }

  async #sendContents(id: number, entry: TreeEntry): Promise<void> {
    const { size, path } = entry.stat;
    const file = await openListed(this.#root, entry);
    try {
      // A file that grows meanwhile ends where the list said.
      for (let sent = 0; sent < size && !this.#over; ) {
        this.#signal.throwIfAborted();
        const buffer = Buffer.allocUnsafe(Math.min(chunkSize, size - sent));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, sent);
        if (bytesRead === 0) throw conflict(`${path} became shorter while the build was reading it: build again`);
        await this.#stream.send({ type: packetType.data, ID: id, data: buffer.subarray(0, bytesRead) });
        sent += bytesRead;
      }
    } finally {
      await file.close();
    }
    if (!this.#over) await this.#stream.send({ type: packetType.data, ID: id, data: nothing });
  }
}

/**
 * The sending side of a file sync (`moby.filesync.v1.FileSync/DiffCopy`, fsutil's protocol): lists the tree, then sends the
 * contents of the files that the other end asks for, some at a time. Resolves when the other end has all. Throws what went
 * wrong after telling it to the other end: `conflict` for files that change meanwhile, `invalid` for bad patterns or
 * packets, `unavailable` when the other end gives up.
 */
export async function sendTree(stream: Packets, tree: SentTree, signal: AbortSignal): Promise<void> {
  try {
    const root = await realpath(tree.directory);
    const followed = tree.follow.length === 0 ? [] : ((await followPaths(root, tree.follow)) ?? []);
    const filter = new TreeFilter([...tree.include, ...followed], tree.exclude);
    await new TreeSender(stream, { root, signal }).run(filter);
  } catch (error) {
    // Not waited for: an end that does not read must not hold the call.
    stream.send({ type: packetType.error, ID: 0, data: Buffer.from(messageOf(error)) }).catch(() => undefined);
    throw error;
  }
}
