import { isBerthError } from '#base';
import type { Image, ImageRemoval, ImageStore } from './image.ts';

/** Which images go. */
export interface PruneOptions {
  /** True takes only those without a name. */
  readonly onlyDangling: boolean;
  /** Ids of the images that containers use. */
  readonly used: { has(id: string): boolean };
  readonly matches: (image: Image) => boolean;
}

/**
 * Removes images without a name and without users, except the newest versions of a tag; unless `onlyDangling` first all
 * without users, then what that leaves without a name. Returns the steps in order and the bytes of the images gone.
 */
export async function pruneImages(
  images: Pick<ImageStore, 'list' | 'remove' | 'keptVersions'>,
  { onlyDangling, used, matches }: PruneOptions,
): Promise<{ removals: ImageRemoval[]; reclaimed: number }> {
  const removals: ImageRemoval[] = [];
  let reclaimed = 0;
  const remove = async (which: (image: Image) => boolean) => {
    const all = await images.list();
    const parents = new Set(all.map((image) => image.parent));
    for (const image of all) {
      if (used.has(image.id) || !matches(image) || !which(image)) continue;
      if (onlyDangling && parents.has(image.id)) continue;
      const steps = await removeImage(images, image.tags.length > 0 ? image.tags : [image.id]);
      if (steps.some((step) => 'deleted' in step)) reclaimed += image.size;
      removals.push(...steps);
    }
  };
  if (!onlyDangling) await remove((image) => image.tags.length > 0);
  const kept = await images.keptVersions();
  await remove((image) => image.tags.length === 0 && !kept.has(image.id));
  return { removals, reclaimed };
}

async function removeImage(images: Pick<ImageStore, 'remove'>, names: readonly string[]): Promise<ImageRemoval[]> {
  const steps: ImageRemoval[] = [];
  for (const name of names) {
    try {
      steps.push(...(await images.remove(name, { force: false, noPrune: false, inUse: () => [] })));
    } catch (error) {
      // Gone or taken into use in between: that is no failure of a prune.
      if (!isBerthError(error)) throw error;
    }
  }
  return steps;
}
