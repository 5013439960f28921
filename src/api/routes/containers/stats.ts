import type { FastifyInstance } from 'fastify';
import { notFound } from '#base';
import { encodeStats } from '../../encode/stats.ts';
import type { ApiPorts } from '../../ports.ts';
import { clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import { startStream } from '../../stream/lines.ts';
import type { ContainerParams } from './lifecycle.ts';

/** GET /containers/{id}/stats. */
export function registerContainerStats(app: FastifyInstance, { containers }: ApiPorts): void {
  app.get<ContainerParams>('/containers/:id/stats', async (request, reply) => {
    const query = new Query(request);
    const { id } = request.params;
    const stream = query.bool('stream', true);
    if (!stream && query.bool('one-shot')) return encodeStats(await containers.stats(id), undefined);
    const watch = containers.watchStats(id, clientGone(reply));
    if (!stream) {
      for await (const { sample, before } of watch) {
        if (sample.current === undefined || before !== undefined) return encodeStats(sample, before?.current);
      }
      throw notFound(`No such container: ${id}`);
    }
    const writer = startStream(reply, 'application/json');
    try {
      for await (const { sample, before } of watch) {
        await writer.write(`${JSON.stringify(encodeStats(sample, before?.current))}\n`);
      }
    } catch (error) {
      request.log.error(error);
    }
    writer.end();
    return reply;
  });
}
