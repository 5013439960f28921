import type { FastifyInstance } from 'fastify';
import type { ContainerWait } from '#api-types';
import { invalid, isBerthError } from '#base';
import type { WaitCondition } from '#engine';
import type { ApiPorts } from '../../ports.ts';
import { clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import { type StreamWriter, startStream } from '../../stream/lines.ts';
import type { ContainerParams } from './lifecycle.ts';

/** POST /containers/{id}/wait: headers as soon as the wait is armed, the body when the condition is met. */
export function registerContainerWait(app: FastifyInstance, { containers }: ApiPorts): void {
  app.post<ContainerParams>('/containers/:id/wait', async (request, reply) => {
    const condition = waitCondition(new Query(request).nonEmpty('condition'));
    const signal = clientGone(reply);
    let writer: StreamWriter | undefined;
    const registered = () => {
      writer ??= startStream(reply, 'application/json');
    };
    try {
      const { exitCode, error } = await containers.wait(request.params.id, condition, { registered, signal });
      registered();
      const body: ContainerWait = { StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) };
      writer?.push(`${JSON.stringify(body)}\n`);
      writer?.end();
    } catch (error) {
      if (writer === undefined) throw error;
      // The status is sent: an end without a body is all that can be said.
      if (!isBerthError(error, 'canceled')) request.log.error(error);
      writer.end();
    }
    return reply;
  });
}

function waitCondition(text = 'not-running'): WaitCondition {
  if (text === 'not-running' || text === 'next-exit' || text === 'removed') return text;
  throw invalid(`invalid condition: ${JSON.stringify(text)}`);
}
