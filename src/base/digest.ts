import { createHash } from 'node:crypto';
import { invalid } from './errors.ts';

/** A content digest, `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md, "Digests"). */
export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

/** True when `text` is a well-formed {@link Digest}. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** Checks `text`; throws `invalid` when it is not a sha256 digest. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw invalid(`invalid digest "${text}": want sha256: and 64 hex digits`);
  return text;
}

/** The digest of bytes in memory. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The 64 hex digits of a digest, without `sha256:`. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
