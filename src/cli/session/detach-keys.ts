import { invalid } from '#base';

/** Docker's default: Ctrl-P, then Ctrl-Q. */
export const defaultDetachKeys = 'ctrl-p,ctrl-q';

/** Reads `ctrl-p,ctrl-q`, `a,b`: the bytes that detach, in order. Throws `invalid` with Docker's text. */
export function readDetachKeys(text: string): number[] {
  return text.split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control === undefined) throw invalid(`Unknown character: '${key}'`);
    return control.toUpperCase().charCodeAt(0) & 0x1f;
  });
}

/** Looks for the detach keys in what is typed. A part of them is held back until it is clear what follows. */
export class DetachWatcher {
  readonly #keys: readonly number[];
  #matched = 0;

  /** Without keys everything passes. */
  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** What of `chunk` may go on to the container, and whether the keys are complete. */
  take(chunk: Buffer): { pass: Buffer; detach: boolean } {
    if (this.#keys.length === 0) return { pass: chunk, detach: false };
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) {
          this.#matched = 0;
          return { pass: Buffer.from(pass), detach: true };
        }
        continue;
      }
      pass.push(...this.#keys.slice(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(byte);
    }
    return { pass: Buffer.from(pass), detach: false };
  }
}
