import type { FastifyInstance } from 'fastify';
import type { ContainerPathStat, ContainerTop, FilesystemChange } from '#api-types';
import { invalid } from '#base';
import type { PathStat } from '#engine';
import type { ApiPorts } from '../../ports.ts';
import { bodyOf, clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import type { ContainerParams } from './lifecycle.ts';

/** Processes and files of a container: top, changes, export, archive. */
export function registerContainerFiles(app: FastifyInstance, { containers }: ApiPorts): void {
  app.get<ContainerParams>('/containers/:id/top', async (request): Promise<ContainerTop> => {
    const args = new Query(request).nonEmpty('ps_args') ?? '-ef';
    const { titles, processes } = await containers.top(request.params.id, args);
    return { Titles: titles, Processes: processes };
  });

  app.get<ContainerParams>('/containers/:id/changes', async (request, reply) => {
    const changes = await containers.changes(request.params.id);
    const body: FilesystemChange[] = changes.map(({ path, kind }) => ({ Path: path, Kind: kind }));
    return reply.type('application/json').send(JSON.stringify(body.length > 0 ? body : null));
  });

  app.get<ContainerParams>('/containers/:id/export', async (request, reply) => {
    return reply.type('application/x-tar').send(await containers.export(request.params.id));
  });

  app.head<ContainerParams>('/containers/:id/archive', async (request, reply) => {
    const stat = await containers.statPath(request.params.id, requiredPath(new Query(request)));
    return reply.header('X-Docker-Container-Path-Stat', encodePathStat(stat)).send();
  });

  app.get<ContainerParams>('/containers/:id/archive', async (request, reply) => {
    const path = requiredPath(new Query(request));
    const { stat, archive } = await containers.readArchive(request.params.id, path, clientGone(reply));
    return reply.header('X-Docker-Container-Path-Stat', encodePathStat(stat)).type('application/x-tar').send(archive);
  });

  app.put<ContainerParams>('/containers/:id/archive', async (request, reply) => {
    const query = new Query(request);
    await containers.writeArchive(request.params.id, requiredPath(query), bodyOf(request), {
      noOverwriteDirNonDir: query.bool('noOverwriteDirNonDir'),
      copyUidGid: query.bool('copyUIDGID'),
      signal: clientGone(reply),
    });
    return reply.code(200).send();
  });
}

function requiredPath(query: Query): string {
  const path = query.nonEmpty('path');
  // Clients match on Docker's text, missing blank included.
  if (path === undefined) throw invalid('bad parameter: pathcannot be empty');
  return path;
}

function encodePathStat(stat: PathStat): string {
  const wire: ContainerPathStat = {
    name: stat.name,
    size: stat.size,
    mode: stat.mode,
    mtime: stat.mtime,
    linkTarget: stat.linkTarget,
  };
  return Buffer.from(JSON.stringify(wire)).toString('base64');
}
