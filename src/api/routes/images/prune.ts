import type { FastifyInstance } from 'fastify';
import type { ImageDeleteItem, ImagesPruneReport } from '#api-types';
import { isBerthError } from '#base';
import type { Image } from '#image';
import { encodeRemoval } from '../../encode/image.ts';
import type { ApiPorts } from '../../ports.ts';
import { booleanFilter, labelFiltersMatch } from '../../request/filters.ts';
import { Query } from '../../request/query.ts';
import { untilFilter } from '../../request/until.ts';
import { countUses, createdAt } from './list.ts';

/**
 * POST /images/prune: images without a name and without users, except the newest versions of a tag; with
 * `dangling=false` all without users, then what that leaves without a name.
 */
export function registerImagePrune(app: FastifyInstance, { images, containers, events }: ApiPorts): void {
  app.post('/images/prune', async (request): Promise<ImagesPruneReport> => {
    const filters = new Query(request).filters(['dangling', 'label', 'label!', 'until']);
    const onlyDangling = booleanFilter(filters, 'dangling') ?? true;
    const until = untilFilter(filters, Date.now());
    const uses = countUses(await containers.list({ all: true }));
    const removals: ImageDeleteItem[] = [];
    let reclaimed = 0;
    const remove = async (which: (image: Image) => boolean) => {
      const all = await images.list();
      const parents = new Set(all.map((image) => image.parent));
      const unneeded = all.filter(
        (image) =>
          !uses.has(image.id) &&
          (until === undefined || createdAt(image) < until) &&
          labelFiltersMatch(image.config.config?.Labels ?? {}, filters) &&
          !(onlyDangling && parents.has(image.id)) &&
          which(image),
      );
      for (const image of unneeded) {
        const steps = await removeImage(images, image.tags.length > 0 ? image.tags : [image.id]);
        if (steps.some((step) => step.Deleted !== undefined)) reclaimed += image.size;
        removals.push(...steps);
      }
    };
    if (!onlyDangling) await remove((image) => image.tags.length > 0);
    const kept = await images.keptVersions();
    await remove((image) => image.tags.length === 0 && !kept.has(image.id));
    events.publish('image', 'prune', '', { reclaimed: String(reclaimed) });
    return { ImagesDeleted: removals.length > 0 ? removals : null, SpaceReclaimed: reclaimed };
  });
}

async function removeImage(images: ApiPorts['images'], names: readonly string[]) {
  const steps: ImageDeleteItem[] = [];
  for (const name of names) {
    try {
      const removals = await images.remove(name, { force: false, noPrune: false, inUse: () => [] });
      steps.push(...removals.map(encodeRemoval));
    } catch (error) {
      // Gone or taken into use in between: that is no failure of a prune.
      if (!isBerthError(error)) throw error;
    }
  }
  return steps;
}
