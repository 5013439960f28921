import type { HostPath } from '#host';

/**
 * A file name as its bytes, one character (U+0000 to U+00FF) for each byte. Linux names and tar names are bytes, often
 * but not always UTF-8; kept this way none is ever changed, and comparing two compares their bytes.
 */
export type ByteName = string;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
const ascii = /^[\x00-\x7f]*$/;

/** The form that file calls take. */
export function toHostPath(name: ByteName): HostPath {
  return ascii.test(name) ? name : Buffer.from(name, 'latin1');
}

/** The bytes of text, as UTF-8. */
export function fromText(text: string): ByteName {
  return ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The name as text, for people. */
export function toText(name: ByteName): string {
  return ascii.test(name) ? name : Buffer.from(name, 'latin1').toString('utf8');
}
