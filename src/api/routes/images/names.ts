import type { FastifyInstance } from 'fastify';
import type { ImageSearchResult } from '#api-types';
import { invalid, notImplemented } from '#base';
import { encodeRemoval } from '../../encode/image.ts';
import type { ApiPorts } from '../../ports.ts';
import { Query } from '../../request/query.ts';
import { registryAuth } from '../../request/registry-auth.ts';
import type { ImageParams } from './list.ts';

/** Tag, remove and search. */
export function registerImageNames(app: FastifyInstance, { images, containers, registry }: ApiPorts): void {
  app.post<ImageParams>('/images/:name/tag', async (request, reply) => {
    const query = new Query(request);
    const repo = query.nonEmpty('repo');
    if (repo === undefined) throw invalid('invalid reference format');
    const tag = query.nonEmpty('tag');
    await images.tag(request.params.name, tag === undefined ? repo : `${repo}:${tag}`);
    return reply.code(201).send();
  });

  app.delete<ImageParams>('/images/:name', async (request) => {
    const query = new Query(request);
    const users = new Map<string, { id: string; running: boolean }[]>();
    for (const { id, imageId, state } of await containers.list({ all: true })) {
      const running = state.status === 'running' || state.status === 'paused' || state.status === 'restarting';
      users.set(imageId, [...(users.get(imageId) ?? []), { id, running }]);
    }
    const removals = await images.remove(request.params.name, {
      force: query.bool('force'),
      noPrune: query.bool('noprune'),
      inUse: (id) => users.get(id) ?? [],
    });
    return removals.map(encodeRemoval);
  });

  app.get('/images/search', async (request): Promise<ImageSearchResult[]> => {
    const query = new Query(request);
    const term = query.nonEmpty('term');
    if (term === undefined) throw invalid('a search needs a term: images/search?term=NAME');
    if (registry === undefined) throw notImplemented('searching registries is not available in this engine');
    const credentials = registryAuth(request);
    const hits = await registry.search(term, {
      limit: query.int('limit') || 25,
      filters: query.filters(['is-automated', 'is-official', 'stars']),
      ...(credentials ? { credentials } : {}),
    });
    return hits.map((hit) => ({
      star_count: hit.stars,
      is_official: hit.official,
      name: hit.name,
      is_automated: false,
      description: hit.description,
    }));
  });

  app.get<ImageParams>('/images/:name/attestations', async (request) => {
    await images.get(request.params.name);
    return [];
  });
}
