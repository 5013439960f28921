import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { TaskStats } from '#runtime';
import { encodeStats } from '../../encode/stats.ts';
import type { ApiPorts } from '../../ports.ts';
import { clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import { startStream } from '../../stream/lines.ts';
import type { ContainerParams } from './lifecycle.ts';

/** Time between two samples, ms: Docker's. */
const interval = 1000;

/** GET /containers/{id}/stats. */
export function registerContainerStats(app: FastifyInstance, { containers }: ApiPorts): void {
  app.get<ContainerParams>('/containers/:id/stats', async (request, reply) => {
    const query = new Query(request);
    const signal = clientGone(reply);
    const first = await containers.stats(request.params.id);
    const { id } = first.container;
    if (!query.bool('stream', true)) {
      if (first.current === undefined || query.bool('one-shot')) return encodeStats(first, undefined);
      await sleep(interval, undefined, { signal });
      return encodeStats(await containers.stats(id), first.current);
    }
    const writer = startStream(reply, 'application/json');
    let before: TaskStats | undefined;
    let sample = first;
    try {
      while (!signal.aborted) {
        await writer.write(`${JSON.stringify(encodeStats(sample, before))}\n`);
        before = sample.current;
        await sleep(interval, undefined, { signal });
        sample = await containers.stats(id);
      }
    } catch (error) {
      // The container or the client is gone; both end the stream.
      if (!signal.aborted) request.log.debug(error);
    }
    writer.end();
    return reply;
  });
}
