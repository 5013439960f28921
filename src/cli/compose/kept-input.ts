import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What came on a stream, kept in a file so that it can be read more than once; the file goes on dispose. */
export class KeptInput implements AsyncDisposable {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads the stream to its end. Throws the stream's errors and those of the file system. */
  static async of(source: Readable): Promise<KeptInput> {
    const kept = new KeptInput(await mkdtemp(join(tmpdir(), 'berth-compose-')));
    try {
      await pipeline(source, createWriteStream(kept.#path, { mode: 0o600 }));
      return kept;
    } catch (error) {
      await kept[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #path(): string {
    return join(this.#directory, 'input');
  }

  /** All of it, once more. */
  read(): Readable {
    return createReadStream(this.#path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
