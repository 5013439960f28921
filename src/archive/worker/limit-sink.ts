import { invalid } from '#base';
import type { LayerLimits } from '../archive.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import type { TarSink } from '../tar/tar-reader.ts';

/** Passes entries on until there are more, or larger ones, than the limits allow; then throws `invalid`. */
export class LimitSink implements TarSink {
  readonly #inner: TarSink;
  readonly #limits: LayerLimits;
  #entries = 0;
  #bytes = 0;

  constructor(inner: TarSink, limits: LayerLimits) {
    this.#inner = inner;
    this.#limits = limits;
  }

  begin(entry: TarEntry): void {
    this.#entries += 1;
    this.#bytes += entry.size;
    if (this.#entries > this.#limits.entries) {
      throw invalid(`bad archive: more than ${this.#limits.entries} entries`);
    }
    if (this.#bytes > this.#limits.size) throw invalid(`bad archive: more than ${this.#limits.size} bytes of files`);
    this.#inner.begin(entry);
  }

  data(bytes: Buffer, position: number): void {
    this.#inner.data(bytes, position);
  }

  end(): void {
    this.#inner.end();
  }
}
