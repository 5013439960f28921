import type { FastifyInstance } from 'fastify';
import type { ContainerDrain, ContainerTakeOver } from '#api-types';
import { invalid } from '#base';
import type { ApiPorts } from '../../ports.ts';
import { clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import { type ContainerParams, noContent } from './lifecycle.ts';

/** Longest a drain may take, in seconds. */
const longest = 3600;

/**
 * Berth's own calls, by which a container takes the place of another without a pause:
 * POST /berth/containers/ID/start-beside?of=HOLDER, POST /berth/containers/ID/takeover,
 * POST /berth/containers/HOLDER/drain?timeout=SECONDS.
 */
export function registerContainerTakeOver(app: FastifyInstance, { containers }: ApiPorts): void {
  app.post<ContainerParams>('/berth/containers/:id/start-beside', async (request, reply) => {
    const holder = new Query(request).nonEmpty('of');
    if (holder === undefined) throw invalid('beside which container? Give of=CONTAINER');
    await containers.startBeside(request.params.id, holder);
    return noContent(reply);
  });

  app.post<ContainerParams>('/berth/containers/:id/takeover', async (request): Promise<ContainerTakeOver> => {
    const { from } = await containers.takeOver(request.params.id);
    return { From: from };
  });

  app.post<ContainerParams>('/berth/containers/:id/drain', async (request, reply): Promise<ContainerDrain> => {
    const timeout = new Query(request).int('timeout') ?? 10;
    if (timeout < 0 || timeout > longest) throw invalid(`invalid timeout ${timeout}: use 0 to ${longest} seconds`);
    const { open } = await containers.drain(request.params.id, { timeout, signal: clientGone(reply) });
    return { Open: open };
  });
}
