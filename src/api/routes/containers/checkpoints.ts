import type { FastifyInstance } from 'fastify';
import { notFound } from '#base';
import type { ApiPorts } from '../../ports.ts';
import type { ContainerParams } from './lifecycle.ts';
import { noCheckpoints } from './no-checkpoints.ts';

/** Checkpoints: none can be made here, so the list is empty and everything else says why. */
export function registerCheckpoints(app: FastifyInstance, { containers, system }: ApiPorts): void {
  app.get<ContainerParams>('/containers/:id/checkpoints', async (request) => {
    await containers.get(request.params.id);
    return [];
  });
  app.post<ContainerParams>('/containers/:id/checkpoints', async (request) => {
    await containers.get(request.params.id);
    throw await noCheckpoints(system);
  });
  app.delete<{ Params: { id: string; name: string } }>('/containers/:id/checkpoints/:name', async (request) => {
    await containers.get(request.params.id);
    throw notFound(`checkpoint ${request.params.name} does not exist for container ${request.params.id}`);
  });
}
