import { invalid } from '#base';

const controlSymbols: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/**
 * Reads Docker's key syntax: keys between commas, each one character or `ctrl-X`. Empty text is the default,
 * `ctrl-p,ctrl-q`. Throws `invalid` with Docker's text.
 */
export function parseDetachKeys(text: string | undefined): Buffer {
  if (text === undefined || text === '') return Buffer.from([16, 17]);
  return Buffer.from(
    text.split(',').map((key) => {
      if (key.length === 1) return key.charCodeAt(0);
      const letter = /^ctrl-(.)$/.exec(key)?.[1];
      if (letter !== undefined && /[a-z]/.test(letter)) return letter.charCodeAt(0) - 96;
      const symbol = letter === undefined ? undefined : controlSymbols[letter];
      if (symbol === undefined) throw invalid(`Invalid detach keys (${text}) provided`);
      return symbol;
    }),
  );
}

/** Watches typed bytes for the detach keys; a part of the sequence is held back until it is clear what it is. */
export class DetachScanner {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** Returns the bytes to pass on, and whether the whole sequence was typed; what follows it is dropped. */
  push(chunk: Buffer): { data: Buffer; detached: boolean } {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) return { data: Buffer.from(out), detached: true };
        continue;
      }
      out.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = 0;
      if (byte === this.#keys[0]) this.#matched = 1;
      else out.push(byte);
    }
    return { data: Buffer.from(out), detached: false };
  }
}
