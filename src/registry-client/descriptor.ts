import { isDigest } from '#base';
import type { Descriptor } from '#oci';
import { fieldOf } from './registry-errors.ts';

/** True for a descriptor as far as a list of referrers shows it: all that others read of it is of its type. */
export function isDescriptor(value: unknown): value is Descriptor {
  const digest = fieldOf(value, 'digest');
  const size = fieldOf(value, 'size');
  const artifactType = fieldOf(value, 'artifactType') ?? '';
  const annotations = fieldOf(value, 'annotations') ?? {};
  return (
    typeof fieldOf(value, 'mediaType') === 'string' &&
    typeof digest === 'string' &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    typeof artifactType === 'string' &&
    typeof annotations === 'object' &&
    Object.values(annotations).every((text) => typeof text === 'string')
  );
}
