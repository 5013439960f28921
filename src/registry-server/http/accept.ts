import { mediaTypes } from '#oci';
import { manifestTypes } from '../store/manifest-document.ts';

/** Whether a client's Accept header admits a manifest of type `stored`. */
export function accepts(header: string | undefined, stored: string): boolean {
  const ranges = readRanges(header);
  // A client that names no type of manifest (curl, scripts asking for JSON) takes what there is.
  if (!ranges.some((range) => manifestTypes.includes(range) || range === 'application/*')) return true;
  return ranges.some((range) => range === stored || range === '*/*' || range === 'application/*');
}

/** Whether a client takes single images but not the index `stored`: it wants the image of the common platform. */
export function wantsImageOnly(header: string | undefined): string[] {
  const images: string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
  return readRanges(header).filter((range) => images.includes(range));
}

function readRanges(header: string | undefined): string[] {
  return (header ?? '').split(',').map((part) => (part.split(';')[0] ?? '').trim().toLowerCase());
}
