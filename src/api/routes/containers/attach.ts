import type { FastifyInstance, FastifyRequest } from 'fastify';
import { WebSocketServer } from 'ws';
import { streamTypes } from '#api-types';
import { invalid } from '#base';
import type { ApiPorts } from '../../ports.ts';
import { contextOf } from '../../request/context.ts';
import { requestedDetachKeys } from '../../request/detach-keys.ts';
import { Query } from '../../request/query.ts';
import { errorText, statusOf } from '../../status.ts';
import { runAttachSession, type SessionOptions } from '../../stream/attach-session.ts';
import { takeOver } from '../../stream/hijack.ts';
import { runWebSocketSession } from '../../stream/websocket-session.ts';
import type { ContainerParams } from './lifecycle.ts';

/** POST /containers/{id}/attach and GET /containers/{id}/attach/ws. */
export function registerContainerAttach(app: FastifyInstance, { containers }: ApiPorts): void {
  const sockets = new WebSocketServer({ noServer: true });

  const open = async (request: FastifyRequest<ContainerParams>) => {
    const query = new Query(request);
    const detachKeys = requestedDetachKeys(query.text('detachKeys'));
    const container = await containers.get(request.params.id);
    const wanted = { stdin: query.bool('stdin'), stdout: query.bool('stdout'), stderr: query.bool('stderr') };
    const attachment = await containers.attach(container.id, {
      ...wanted,
      logs: query.bool('logs'),
      stream: query.bool('stream'),
    });
    const session: SessionOptions = { ...wanted, tty: container.process.tty, detachKeys };
    return { attachment, session };
  };

  app.post<ContainerParams>('/containers/:id/attach', async (request, reply) => {
    let opened: Awaited<ReturnType<typeof open>>;
    try {
      opened = await open(request);
    } catch (error) {
      // Clients of attach read plain text here, not JSON.
      return reply
        .code(statusOf(error))
        .type(streamTypes.raw)
        .send(`${errorText(error)}\r\n`);
    }
    const connection = takeOver(request, reply, { tty: opened.session.tty });
    await runAttachSession(connection, opened.attachment, opened.session);
    return reply;
  });

  app.get<ContainerParams>('/containers/:id/attach/ws', async (request, reply) => {
    const { upgraded } = contextOf(request);
    if (upgraded?.protocol !== 'websocket') throw invalid('attach/ws wants a websocket upgrade');
    const { attachment, session } = await open(request);
    reply.hijack();
    reply.raw.detachSocket(upgraded.socket);
    // A handshake that fails closes the socket without a word to us.
    upgraded.socket.once('close', () => attachment.close());
    sockets.handleUpgrade(request.raw, upgraded.socket, upgraded.head, (socket) => {
      void runWebSocketSession(socket, attachment, session);
    });
    return reply;
  });
}
