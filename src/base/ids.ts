import { randomBytes } from 'node:crypto';

/** A new 64-hex-digit id, as Docker gives to containers, networks and execs. Its short form never is all digits. */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    // An all-digit short id would be taken for a number by users' scripts (and as a hostname by resolvers).
    if (!/^\d+$/.test(id.slice(0, 12))) return id;
  }
}

/** The first 12 digits of an id, with any `sha256:` taken off. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
