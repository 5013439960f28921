import { type BerthError, invalid, notFound } from '#base';
import { canonicalString, familiarString, parseReference, type Reference, withDefaultTag } from '#oci';
import type { Image } from './image.ts';
import type { ImageRecords } from './image-records.ts';

type Lookup = Pick<ImageRecords, 'byId' | 'byTag' | 'byRepoDigest' | 'byPrefix'>;

/**
 * Finds an image as Docker does: a full id, else a name with tag (`latest` by default) or digest, else an unambiguous
 * prefix of an id. Throws `not-found` ("No such image: NAME") and `invalid` for what is no name at all.
 */
export function resolveImage(records: Lookup, name: string): Image {
  const id = /^(?:sha256:)?([0-9a-f]{64})$/.exec(name)?.[1];
  if (id !== undefined) {
    const image = records.byId(`sha256:${id}`);
    if (image === undefined) throw noSuchImage(`sha256:${id}`);
    return image;
  }
  const reference = withDefaultTag(parseReference(name));
  const found = findByReference(records, reference);
  if (found !== undefined) return found;
  const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(name)?.[1];
  if (prefix !== undefined) {
    const [match, ...others] = records.byPrefix(prefix);
    if (match !== undefined && others.length === 0) return match;
  }
  throw noSuchImage(familiarString(reference));
}

/** True when `name` means `image` by its id or a prefix of it, not by one of its names. */
export function namesById(image: Image, name: string): boolean {
  const digits = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(name)?.[1];
  if (digits === undefined || !image.id.startsWith(`sha256:${digits}`)) return false;
  if (digits.length === 64) return true;
  const reference = canonicalString(withDefaultTag(parseReference(name)));
  return !image.tags.includes(reference);
}

/** Docker's error for a name that nothing has. */
export function noSuchImage(name: string): BerthError {
  return notFound(`No such image: ${name}`);
}

/** Reads a name that a tag is to be put on, and gives it `latest` where it has none. Throws `invalid`. */
export function parseTagName(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw invalid('refusing to create a tag with a digest reference');
  return withDefaultTag(reference);
}

function findByReference(records: Lookup, reference: Reference): Image | undefined {
  if (reference.digest === undefined) return records.byTag(canonicalString(reference));
  const { tag: _, ...untagged } = reference;
  return records.byRepoDigest(canonicalString(untagged));
}
