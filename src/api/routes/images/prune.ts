import type { FastifyInstance } from 'fastify';
import type { ImagesPruneReport } from '#api-types';
import { pruneImages } from '#image';
import { encodeRemoval } from '../../encode/image.ts';
import type { ApiPorts } from '../../ports.ts';
import { booleanFilter, labelFiltersMatch } from '../../request/filters.ts';
import { Query } from '../../request/query.ts';
import { untilFilter } from '../../request/until.ts';
import { countUses, createdAt } from './list.ts';

/** POST /images/prune. Images of the newest revisions of Compose projects stay in any case. */
export function registerImagePrune(app: FastifyInstance, { images, containers, events, history }: ApiPorts): void {
  app.post('/images/prune', async (request): Promise<ImagesPruneReport> => {
    const filters = new Query(request).filters(['dangling', 'label', 'label!', 'until']);
    const until = untilFilter(filters, Date.now());
    const inHistory = await history.keptImages();
    const { removals, reclaimed } = await pruneImages(images, {
      onlyDangling: booleanFilter(filters, 'dangling') ?? true,
      used: countUses(await containers.list({ all: true })),
      matches: (image) =>
        !inHistory.has(image.id) &&
        (until === undefined || createdAt(image) < until) &&
        labelFiltersMatch(image.config.config?.Labels ?? {}, filters),
    });
    events.publish('image', 'prune', '', { reclaimed: String(reclaimed) });
    return {
      ImagesDeleted: removals.length > 0 ? removals.map(encodeRemoval) : null,
      SpaceReclaimed: reclaimed,
    };
  });
}
