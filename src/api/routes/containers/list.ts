import type { FastifyInstance } from 'fastify';
import type { ContainersPruneReport } from '#api-types';
import type { Container } from '#engine';
import type { Image } from '#image';
import { canonicalString, parseReference, withDefaultTag } from '#oci';
import { encodeContainerInspect } from '../../encode/container-inspect.ts';
import { renderContainerSummary } from '../../encode/container-summary.ts';
import type { ApiPorts } from '../../ports.ts';
import { Query } from '../../request/query.ts';

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
  app.get('/containers/json', async (request, reply) => {
    const query = new Query(request);
    const limit = query.int('limit') ?? 0;
    const withSize = query.bool('size');
    const filters = query.filters();
    const [found, known] = await Promise.all([
      containers.list({ all: query.bool('all'), ...(limit > 0 ? { limit } : {}), size: withSize, filters }),
      images.list(),
    ]);
    const imageNamed = imageNames(known);
    const now = Date.now();
    const entries = await Promise.all(
      found.map(async (container) => {
        const size = withSize ? { size: await containers.size(container.id) } : {};
        return renderContainerSummary(container, { now, imageNamed: imageNamed(container), ...size });
      }),
    );
    return reply.type('application/json').send(`[${entries.join(',')}]`);
  });

  app.get<{ Params: { id: string } }>('/containers/:id/json', async (request) => {
    const container = await containers.get(request.params.id);
    const size = new Query(request).bool('size') ? await containers.size(container.id) : undefined;
    return encodeContainerInspect(container, size);
  });

  app.post('/containers/prune', async (request): Promise<ContainersPruneReport> => {
    const { deleted, reclaimed } = await containers.prune(new Query(request).filters());
    return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
  });
}
