import { type Actor, type Digest, notFound } from '#base';
import { canonicalString, familiarString } from '#oci';
import type { Image, ImageVersion } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import { parseTagName } from './resolve.ts';

/** What a tag pointed to, newest first. Throws `invalid`, and `not-found` for a name that was never a tag. */
export function imageVersions(records: ImageRecords, name: string): ImageVersion[] {
  const reference = parseTagName(name);
  const log = records.tagLog(canonicalString(reference));
  if (log.length === 0) throw notFound(`${familiarString(reference)} has no versions: nothing was ever tagged so`);
  return log.map(({ image, manifest, at, actor }) => ({
    image,
    manifest,
    at,
    actor: JSON.parse(actor) as Actor,
    isPresent: image !== undefined && records.byId(image) !== undefined,
  }));
}

/**
 * Points a tag to an earlier version: the one before, the one `to` steps back in its log, or the one whose image or
 * manifest digest begins with `to`. It becomes the newest version. Throws `not-found` when there is no such version, or
 * when its image was removed.
 */
export function rollBack(records: ImageRecords, name: string, to: string | undefined): Image {
  return records.transaction(() => {
    const reference = parseTagName(name);
    const familiar = familiarString(reference);
    const versions = imageVersions(records, name);
    const version = chooseVersion(versions, to);
    if (version === undefined) {
      const wanted = to === undefined ? 'earlier version' : `version ${to}`;
      throw notFound(`${familiar} has no ${wanted}: see berth image log ${familiar}`);
    }
    const image = version.image === undefined ? undefined : records.byId(version.image);
    if (image === undefined) {
      const what = version.image === undefined ? 'was no image: the tag had been removed' : `${version.image} is gone`;
      throw notFound(`cannot roll ${familiar} back: that version ${what}; see berth image log ${familiar}`);
    }
    records.setTag(canonicalString(reference), image);
    return image;
  });
}

function chooseVersion(versions: readonly ImageVersion[], to: string | undefined): ImageVersion | undefined {
  const current = versions[0]?.image;
  if (to === undefined) return versions.find(({ image }) => image !== undefined && image !== current);
  if (/^\d{1,4}$/.test(to)) return versions[Number(to)];
  const digits = to.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{5,64}$/.test(digits)) return undefined;
  return versions.find(({ image, manifest }) =>
    [image, manifest].some((digest: Digest | undefined) => digest?.startsWith(`sha256:${digits}`)),
  );
}
