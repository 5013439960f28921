import { invalid } from './errors.ts';

/** Docker's default. */
const defaultKeys = 'ctrl-p,ctrl-q';

/**
 * Reads Docker's key syntax (docker attach --detach-keys): keys between commas, each one character or `ctrl-X`, as the
 * bytes that a terminal sends for them. Empty text is the default, `ctrl-p,ctrl-q`. Throws `invalid`.
 */
export function readDetachKeys(text: string | undefined): Buffer {
  const keys = (text || defaultKeys).split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control === undefined) throw invalid(`Unknown character: '${key}'`);
    return control.toUpperCase().charCodeAt(0) & 0x1f;
  });
  return Buffer.from(keys);
}

/** Looks for the detach keys in what is typed. A part of them is held back until it is clear what follows. */
export class DetachScanner {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** The bytes of `chunk` to pass on, and whether the keys are complete; what follows them is dropped. */
  push(chunk: Buffer): { data: Buffer; detached: boolean } {
    const keys = this.#keys;
    if (this.#matched === 0 && !chunk.includes(keys[0] ?? 0)) return { data: chunk, detached: false };
    const passed: Buffer[] = [];
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#matched === 0) {
        const first = chunk.indexOf(keys[0] ?? 0, at);
        if (first < 0) break;
        passed.push(chunk.subarray(from, first));
        at = first;
      }
      if (chunk[at] === keys[this.#matched]) {
        at++;
        if (++this.#matched < keys.length) continue;
        this.#matched = 0;
        return { data: Buffer.concat(passed), detached: true };
      }
      passed.push(keys.subarray(0, this.#matched));
      this.#matched = 0;
      from = at;
    }
    if (this.#matched === 0) passed.push(chunk.subarray(from));
    return { data: Buffer.concat(passed), detached: false };
  }
}
