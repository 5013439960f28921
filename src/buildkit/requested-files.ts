import { invalid, unavailable } from '#base';
import type { ListedFile } from './file-list.ts';
import { type Packet, packetType } from './session-methods.ts';

/** Contents of files, read in the order of the list. */
export interface FileContents {
  /** The chunks of one file, exactly as many bytes as the list says. */
  of(id: number): AsyncIterable<Uint8Array>;
}

/** Bytes that may be on their way at a time; a larger file travels alone. */
const mostBytesAhead = 4 << 20;
const mostFilesAhead = 64;

interface Arriving {
  readonly file: ListedFile;
  readonly chunks: Uint8Array[];
  received: number;
  complete: boolean;
}

/**
 * Asks for files some way ahead, as the peer sends several at a time and in any order, and keeps what comes early. What
 * is kept is bounded by what was asked for; packets are taken only as their reader needs them.
 */
export class RequestedFiles implements FileContents {
  readonly #files: readonly ListedFile[];
  readonly #packets: AsyncIterator<Packet>;
  readonly #request: (id: number) => Promise<void>;
  readonly #onBytes: (total: number) => void;
  readonly #arriving = new Map<number, Arriving>();
  #next = 0;
  #ahead = 0;
  #total = 0;

  /** `files` are those with contents, in the order in which they will be read. */
  constructor(options: {
    readonly files: readonly ListedFile[];
    readonly packets: AsyncIterator<Packet>;
    readonly request: (id: number) => Promise<void>;
    readonly onBytes?: (total: number) => void;
  }) {
    this.#files = options.files;
    this.#packets = options.packets;
    this.#request = options.request;
    this.#onBytes = options.onBytes ?? (() => undefined);
  }

  async *of(id: number): AsyncGenerator<Uint8Array> {
    await this.#requestAhead();
    const arriving = this.#arriving.get(id);
    if (arriving === undefined) throw new Error(`file ${id} is read out of order`);
    for (;;) {
      yield* arriving.chunks.splice(0);
      if (arriving.complete) break;
      await this.#takePacket();
    }
    this.#arriving.delete(id);
    this.#ahead -= arriving.file.stat.size;
  }

  async #requestAhead(): Promise<void> {
    for (let file = this.#files[this.#next]; file !== undefined; file = this.#files[this.#next]) {
      const busy = this.#arriving.size;
      if (busy >= mostFilesAhead || (busy > 0 && this.#ahead + file.stat.size > mostBytesAhead)) return;
      this.#arriving.set(file.id, { file, chunks: [], received: 0, complete: false });
      this.#ahead += file.stat.size;
      this.#next++;
      await this.#request(file.id);
    }
  }

  async #takePacket(): Promise<void> {
    const next = await this.#packets.next();
    if (next.done) throw unavailable('the file sync ended before all files had come');
    const { type, ID, data } = next.value;
    if (type === packetType.error) throw unavailable(Buffer.from(data).toString('utf8'));
    const arriving = this.#arriving.get(ID);
    if (type !== packetType.data || arriving === undefined || arriving.complete) {
      throw invalid(`file sync: a packet of type ${type} for file ${ID} that nobody asked for`);
    }
    const { path, size } = arriving.file.stat;
    arriving.received += data.length;
    if (data.length > 0) arriving.chunks.push(data);
    else arriving.complete = true;
    if (arriving.received > size || (arriving.complete && arriving.received < size)) {
      throw invalid(`${path} changed while it was sent: it has no longer the ${size} bytes it had; build again`);
    }
    this.#total += data.length;
    this.#onBytes(this.#total);
  }
}
