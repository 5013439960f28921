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
