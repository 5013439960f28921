import type { FastifyInstance } from 'fastify';
import type { BuildPruneReport } from '#api-types';
import { invalid } from '#base';
import type { ApiPorts } from '../../ports.ts';
import { Query } from '../../request/query.ts';
import type { ClientSessions } from '../../session/client-sessions.ts';
import { buildInSession } from './build-in-session.ts';
import { classicBuild } from './classic-build.ts';
import { RunningBuilds } from './running-builds.ts';

const pruneFilters = [
  'description',
  'id',
  'inuse',
  'label',
  'label!',
  'parent',
  'private',
  'shared',
  'type',
  'unused-for',
  'until',
];

/** POST /build (both versions), /build/prune, /build/cancel. */
export function registerBuild(app: FastifyInstance, ports: ApiPorts, sessions: ClientSessions): void {
  const { builder, events } = ports;
  const running = new RunningBuilds();

  app.post('/build', (request, reply) =>
    new Query(request).text('version') === '2'
      ? buildInSession({ ports, sessions, running }, request, reply)
      : classicBuild(ports, request, reply),
  );

  app.post('/build/prune', async (request): Promise<BuildPruneReport> => {
    const query = new Query(request);
    const keepBytes = query.int('reserved-space') ?? query.int('keep-storage');
    const { deleted, reclaimed } = await builder.prune({
      all: query.bool('all'),
      filters: query.filters(pruneFilters),
      ...(keepBytes ? { keepBytes } : {}),
    });
    events.publish('builder', 'prune', '', { reclaimed: String(reclaimed) });
    return { CachesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
  });

  app.post('/build/cancel', (request, reply) => {
    // Classic builds have no id and end with their client's connection; as with dockerd, an unknown id is no error.
    const id = new Query(request).nonEmpty('id');
    if (id === undefined) throw invalid('build ID not provided');
    running.cancel(id);
    return reply.code(204).send();
  });
}
