import type { FastifyInstance } from 'fastify';
import type { Container } from '#engine';
import type { Image } from '#image';
import { familiarName, familiarString, parseReference } from '#oci';
import { encodeHistoryStep, encodeImageInspect, encodeImageManifest, encodeImageSummary } from '../../encode/image.ts';
import type { ApiPorts } from '../../ports.ts';
import { clientOlderThan } from '../../request/context.ts';
import { booleanFilter, type Filters, labelFiltersMatch } from '../../request/filters.ts';
import { globMatches } from '../../request/glob.ts';
import { Query } from '../../request/query.ts';
import { untilFilter } from '../../request/until.ts';

/** Params of routes on one image. */
export interface ImageParams {
  Params: { name: string };
}

const listFilters = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];

/** How many containers use each image. */
export function countUses(containers: readonly Container[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { imageId } of containers) uses.set(imageId, (uses.get(imageId) ?? 0) + 1);
  return uses;
}

/** GET /images/json, /images/{name}/json, /images/{name}/history. */
export function registerImageLists(app: FastifyInstance, { images, containers }: ApiPorts): void {
  app.get('/images/json', async (request) => {
    const query = new Query(request);
    const filters = query.filters(listFilters);
    const all = await images.list();
    const users = await containers.list({ all: true });
    const uses = countUses(users);
    const found = await filterImages(all, filters, { images, all: query.bool('all') });
    const shared = query.bool('shared-size') ? await images.sharedSizes() : undefined;
    const old = clientOlderThan(request, '1.44');
    const summaries = found
      .sort((left, right) => createdAt(right) - createdAt(left))
      .map((image) =>
        encodeImageSummary(image, {
          containers: uses.get(image.id) ?? 0,
          sharedSize: shared?.get(image.id) ?? -1,
          old,
        }),
      );
    if (!query.bool('manifests') || clientOlderThan(request, '1.47')) return summaries;
    for (const [index, image] of found.entries()) {
      const own = users.filter(({ imageId }) => imageId === image.id).map(({ id }) => id);
      const manifest = encodeImageManifest(image, await images.content(image), own);
      Object.assign(summaries[index] ?? {}, { Descriptor: manifest.Descriptor, Manifests: [manifest] });
    }
    return summaries;
  });

  app.get<ImageParams>('/images/:name/json', async (request) =>
    encodeImageInspect(await images.get(request.params.name), clientOlderThan(request, '1.44')),
  );

  app.get<ImageParams>('/images/:name/history', async (request) =>
    (await images.history(request.params.name)).map(encodeHistoryStep),
  );
}

/** When an image was made, ms since the epoch; 0 where it does not say. */
export const createdAt = (image: Image): number => Date.parse(image.config.created ?? '') || 0;

interface FilterScope {
  readonly images: ApiPorts['images'];
  /** False hides untagged images that others are built on. */
  readonly all: boolean;
}

async function filterImages(list: readonly Image[], filters: Filters, scope: FilterScope): Promise<Image[]> {
  const dangling = booleanFilter(filters, 'dangling');
  const bound = async (name: string | undefined) =>
    name === undefined ? undefined : createdAt(await scope.images.get(name));
  const before = await bound(filters.before?.[0]);
  const since = await bound(filters.since?.[0]);
  const until = untilFilter(filters, Date.now());
  const parents = new Set(list.map((image) => image.parent));
  const named = (image: Image) => image.tags.length + image.repoDigests.length > 0;
  return list.flatMap((image) => {
    if (!scope.all && !named(image) && parents.has(image.id)) return [];
    if (dangling !== undefined && dangling !== (image.tags.length === 0)) return [];
    if (before !== undefined && createdAt(image) >= before) return [];
    if (since !== undefined && createdAt(image) <= since) return [];
    if (until !== undefined && createdAt(image) >= until) return [];
    if (!labelFiltersMatch(image.config.config?.Labels ?? {}, filters)) return [];
    if (filters.reference === undefined) return [image];
    const wishes = filters.reference;
    const tags = image.tags.filter((tag) => wishes.some((wish) => referenceMatches(tag, wish)));
    const repoDigests = image.repoDigests.filter((name) => wishes.some((wish) => referenceMatches(name, wish)));
    return tags.length + repoDigests.length > 0 ? [{ ...image, tags, repoDigests }] : [];
  });
}

function referenceMatches(name: string, pattern: string): boolean {
  const reference = parseReference(name);
  return globMatches(pattern, familiarString(reference)) || globMatches(pattern, familiarName(reference));
}
