import type { FastifyInstance } from 'fastify';
import { invalid } from '#base';
import { serveGrpc } from '#buildkit';
import { controlHandlers } from '../control/control-handlers.ts';
import type { ApiPorts } from '../ports.ts';
import { contextOf } from '../request/context.ts';
import type { ClientSessions } from '../session/client-sessions.ts';
import { switchProtocol } from '../stream/hijack.ts';

/** POST /grpc: BuildKit's control API, over HTTP/2 on this connection. */
export function registerControl(app: FastifyInstance, ports: ApiPorts, sessions: ClientSessions): void {
  const handlers = controlHandlers(ports, sessions);
  app.post('/grpc', (request, reply) => {
    const { upgraded } = contextOf(request);
    if (upgraded === undefined) throw invalid('no upgrade proto in request');
    if (upgraded.protocol !== 'h2c') throw invalid(`protocol ${upgraded.protocol} not supported`);
    serveGrpc(switchProtocol(upgraded, reply), handlers);
  });
}
