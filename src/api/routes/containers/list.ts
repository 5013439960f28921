import type { FastifyInstance } from 'fastify';
import type { ContainersPruneReport } from '#api-types';
import { invalid } from '#base';
import type { Container, ContainerStatus } from '#engine';
import type { Image } from '#image';
import { canonicalString, parseReference, withDefaultTag } from '#oci';
import { encodeContainerInspect } from '../../encode/container-inspect.ts';
import { encodeContainerSummary } from '../../encode/container-summary.ts';
import type { ApiPorts } from '../../ports.ts';
import { Query } from '../../request/query.ts';

/** Filter keys of GET /containers/json. */
export const containerFilters = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];

const states: readonly ContainerStatus[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

/** Tells whether the name a container was made with still means the image it has. */
export function imageNames(images: readonly Image[]): (container: Container) => boolean {
  const tags = new Map(images.map((image) => [image.id, new Set(image.tags)]));
  return ({ image, imageId }) => {
    if (
      /^(sha256:)?[0-9a-f]{4,64}$/.test(image) &&
      imageId.replace('sha256:', '').startsWith(image.replace('sha256:', ''))
    ) {
      return true;
    }
    try {
      const reference = withDefaultTag(parseReference(image));
      return reference.digest !== undefined || (tags.get(imageId)?.has(canonicalString(reference)) ?? false);
    } catch {
      return false;
    }
  };
}

/** GET /containers/json, GET /containers/{id}/json, POST /containers/prune. */
export function registerContainerLists(app: FastifyInstance, { containers, images }: ApiPorts): void {
  app.get('/containers/json', async (request) => {
    const query = new Query(request);
    const filters = query.filters(containerFilters);
    for (const value of filters.status ?? []) {
      if (!states.some((state) => state === value)) {
        throw invalid(
          `invalid filter 'status=${value}': invalid value for state (${value}): must be one of ${states.join(', ')}`,
        );
      }
    }
    const limit = query.int('limit') ?? 0;
    const withSize = query.bool('size');
    const [found, known] = await Promise.all([
      containers.list({ all: query.bool('all'), ...(limit > 0 ? { limit } : {}), size: withSize, filters }),
      images.list(),
    ]);
    const imageNamed = imageNames(known);
    const now = Date.now();
    return Promise.all(
      found.map(async (container) =>
        encodeContainerSummary(container, {
          now,
          imageNamed: imageNamed(container),
          ...(withSize ? { size: await containers.size(container.id) } : {}),
        }),
      ),
    );
  });

  app.get<{ Params: { id: string } }>('/containers/:id/json', async (request) => {
    const container = await containers.get(request.params.id);
    const size = new Query(request).bool('size') ? await containers.size(container.id) : undefined;
    return encodeContainerInspect(container, size);
  });

  app.post('/containers/prune', async (request): Promise<ContainersPruneReport> => {
    const { deleted, reclaimed } = await containers.prune(new Query(request).filters(['label', 'label!', 'until']));
    return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
  });
}
