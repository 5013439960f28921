import { conflict, type Digest, shortId } from '#base';
import { canonicalString, familiarString, parseReference, type Reference, withDefaultTag } from '#oci';
import { chainIds } from './chain-id.ts';
import type { Image, ImageRemoval } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import { namesById, resolveImage } from './resolve.ts';

/** A container that uses an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

/** What {@link removeImage} is told. */
export interface RemoveOptions {
  readonly force: boolean;
  readonly noPrune: boolean;
  readonly inUse: (id: Digest) => readonly ImageUser[];
}

interface Removal {
  readonly records: ImageRecords;
  readonly options: RemoveOptions;
  readonly done: ImageRemoval[];
  readonly removed: Image[];
}

/**
 * Untags and deletes records by Docker's rules; blobs and snapshots are the garbage collector's. Returns what was done, in
 * order, and the images whose records are gone.
 */
export function removeImage(
  records: ImageRecords,
  name: string,
  options: RemoveOptions,
): { done: ImageRemoval[]; removed: Image[] } {
  return records.transaction(() => {
    const removal: Removal = { records, options, done: [], removed: [] };
    const image = resolveImage(records, name);
    if (namesById(image, name)) removeById(removal, image);
    else removeByName(removal, image, name);
    return { done: removal.done, removed: removal.removed };
  });
}

function removeByName(removal: Removal, image: Image, name: string): void {
  const { records, options } = removal;
  const [user] = options.inUse(image.id);
  if (!options.force && user !== undefined && isSingleReference(image)) {
    throw conflict(
      `conflict: unable to remove repository reference "${name}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    );
  }
  const reference = withDefaultTag(parseReference(name));
  untag(removal, reference);
  const repository = canonicalString({ domain: reference.domain, path: reference.path });
  const left = records.byId(image.id) ?? image;
  if (reference.digest === undefined && !left.tags.some((tag) => repositoryOf(tag) === repository)) {
    for (const digest of left.repoDigests) {
      if (repositoryOf(digest) === repository) untag(removal, parseReference(digest));
    }
  }
  const now = records.byId(image.id) ?? image;
  if (now.tags.length + now.repoDigests.length > 0) return;
  deleteImage(removal, now, { force: options.force, quiet: true });
}

function removeById(removal: Removal, image: Image): void {
  const { options } = removal;
  if (isSingleReference(image)) {
    // The one reference goes with the image: it is no reason to refuse.
    refuse(removal, image, { soft: !options.force, references: false });
    for (const name of [...image.tags, ...image.repoDigests]) untag(removal, parseReference(name));
  }
  deleteImage(removal, removal.records.byId(image.id) ?? image, { force: options.force, quiet: false });
}

function deleteImage(removal: Removal, image: Image, how: { force: boolean; quiet: boolean }): void {
  const { records, options, done } = removal;
  const why = conflictOf(removal, image, { soft: !how.force, references: true });
  if (why !== undefined) {
    const dangling = image.tags.length + image.repoDigests.length === 0 && records.children(image.id).length === 0;
    if (how.quiet && (!dangling || why.used)) return;
    throw why.error;
  }
  for (const name of [...image.tags, ...image.repoDigests]) untag(removal, parseReference(name));
  records.delete(image.id);
  removal.removed.push(image);
  done.push({ deleted: image.id });
  const needed = new Set(records.list().flatMap((other) => chainIds(other.config.rootfs.diff_ids)));
  for (const chain of chainIds(image.config.rootfs.diff_ids).toReversed()) {
    if (!needed.has(chain)) done.push({ deleted: chain });
  }
  const parent = image.parent === undefined || options.noPrune ? undefined : records.byId(image.parent);
  if (parent !== undefined) deleteImage(removal, parent, { force: false, quiet: true });
}

function refuse(removal: Removal, image: Image, checks: { soft: boolean; references: boolean }): void {
  const why = conflictOf(removal, image, checks);
  if (why !== undefined) throw why.error;
}

/** Why the image cannot be deleted: hard reasons always, soft ones unless forced. `used`: a container has it. */
function conflictOf(
  removal: Removal,
  image: Image,
  checks: { soft: boolean; references: boolean },
): { error: Error; used: boolean } | undefined {
  const because = (hard: boolean, used: boolean, message: string) => ({
    used,
    error: conflict(
      `conflict: unable to delete ${shortId(image.id)} (${hard ? 'cannot be forced' : 'must be forced'}) - ${message}`,
    ),
  });
  if (removal.records.children(image.id).length > 0) return because(true, false, 'image has dependent child images');
  const users = removal.options.inUse(image.id);
  const running = users.find((user) => user.running);
  if (running !== undefined) {
    return because(true, true, `image is being used by running container ${shortId(running.id)}`);
  }
  if (!checks.soft) return undefined;
  if (checks.references && image.tags.length + image.repoDigests.length > 0) {
    return because(false, false, 'image is referenced in multiple repositories');
  }
  const stopped = users[0];
  if (stopped === undefined) return undefined;
  return because(false, true, `image is being used by stopped container ${shortId(stopped.id)}`);
}

function untag(removal: Removal, reference: Reference): void {
  const { tag: _, ...withoutTag } = reference;
  if (reference.digest === undefined) removal.records.removeTag(canonicalString(reference));
  else removal.records.removeRepoDigest(canonicalString(withoutTag));
  removal.done.push({ untagged: familiarString(reference.digest === undefined ? reference : withoutTag) });
}

/** At most one tag, and all digests in its repository. */
function isSingleReference(image: Image): boolean {
  if (image.tags.length + image.repoDigests.length <= 1) return true;
  if (image.tags.length > 1) return false;
  return new Set([...image.tags, ...image.repoDigests].map(repositoryOf)).size === 1;
}

function repositoryOf(name: string): string {
  const { domain, path } = parseReference(name);
  return canonicalString({ domain, path });
}
