import { Readable } from 'node:stream';
import { type Digest, internal, isBerthError } from '#base';
import type { BlobStorage } from '../store/blob-storage.ts';

/** Bytes that one client may lag behind the download before it is served from the store instead. */
const maxLag = 8 * 1024 * 1024;

/** What {@link BlobFetch} needs. */
export interface BlobFetchOptions {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly storage: BlobStorage;
  /** The upstream's bytes from an offset on. */
  readonly open: (offset: number) => Promise<Readable>;
  /** Makes the blob durable and known; called with the finished write. */
  readonly commit: (writer: Awaited<ReturnType<BlobStorage['writer']>>) => Promise<void>;
}

interface Follower {
  readonly chunks: Buffer[];
  lag: number;
  live: boolean;
  wake: () => void;
}

/**
 * One download of a blob into the store, for all who ask for it meanwhile. It runs at the upstream's speed: who was
 * there from the first byte reads along; who came later, or reads slowly, waits for the commit and reads the rest from the store.
 * A download that broke off is taken up again where it stopped, by whoever asks next.
 */
export class BlobFetch {
  readonly #options: BlobFetchOptions;
  readonly #followers = new Set<Follower>();
  /** True once a byte has been received, or some were there from an earlier download. */
  #begun = false;
  /** Resolves when the blob is in the store. */
  readonly done: Promise<void>;

  constructor(options: BlobFetchOptions) {
    this.#options = options;
    this.done = this.#run();
    // Those who wait for it hear of the failure; without one it is nobody's.
    this.done.catch(() => undefined);
  }

  /** The blob's bytes. The stream fails when the download does. */
  read(range: { start?: number; end?: number } = {}): Readable {
    if (this.#begun || range.start !== undefined || range.end !== undefined) {
      return Readable.from(this.#stored(range), { objectMode: false });
    }
    const follower: Follower = { chunks: [], lag: 0, live: true, wake: () => undefined };
    this.#followers.add(follower);
    return Readable.from(this.#follow(follower), { objectMode: false });
  }

  async *#stored(range: { start?: number; end?: number }): AsyncGenerator<Buffer> {
    await this.done;
    yield* await this.#options.storage.open(this.#options.digest, range);
  }

  async *#follow(follower: Follower): AsyncGenerator<Buffer> {
    let sent = 0;
    let finished = false;
    const end = this.done.finally(() => {
      finished = true;
      follower.wake();
    });
    end.catch(() => undefined);
    try {
      while (follower.live || follower.chunks.length > 0) {
        const chunk = follower.chunks.shift();
        if (chunk === undefined) {
          if (finished) break;
          await new Promise<void>((resolve) => {
            follower.wake = resolve;
          });
          continue;
        }
        follower.lag -= chunk.length;
        sent += chunk.length;
        // The last bytes are held back until the digest was found right.
        if (sent >= this.#options.size) await this.done;
        yield chunk;
      }
      await this.done;
      if (sent < this.#options.size) yield* this.#stored({ start: sent });
    } finally {
      this.#followers.delete(follower);
    }
  }

  async #run(): Promise<void> {
    const { storage, digest, size, open, commit } = this.#options;
    const writer = await storage.writer({ key: `upstream:${digest}` });
    try {
      if (writer.size > size) throw internal(`a cut-off download of ${digest} is longer than the blob`);
      this.#begun = writer.size > 0;
      if (writer.size < size) {
        for await (const chunk of (await open(writer.size)) as AsyncIterable<Buffer>) {
          this.#begun = true;
          this.#tell(chunk);
          await writer.write(chunk);
        }
      }
      await commit(writer);
    } catch (error) {
      await writer.abort({ keep: mayGoOn(error) });
      throw error;
    }
  }

  #tell(chunk: Buffer): void {
    for (const follower of this.#followers) {
      if (!follower.live) continue;
      follower.lag += chunk.length;
      // From here on it has a gap, which the store fills.
      if (follower.lag > maxLag) follower.live = false;
      else follower.chunks.push(chunk);
      follower.wake();
    }
  }
}

/** Bytes of a download that failed from outside are good for the next try; others are not to be trusted. */
function mayGoOn(error: unknown): boolean {
  return !isBerthError(error) || !['invalid', 'internal'].includes(error.kind);
}
