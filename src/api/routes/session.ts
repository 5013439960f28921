import type { FastifyInstance } from 'fastify';
import { invalid } from '#base';
import { contextOf } from '../request/context.ts';
import type { ClientSessions } from '../session/client-sessions.ts';
import { switchProtocol } from '../stream/hijack.ts';

/** POST /session: the client offers to answer what its builds ask, over HTTP/2 on this connection. */
export function registerSession(app: FastifyInstance, sessions: ClientSessions): void {
  app.post('/session', (request, reply) => {
    const { upgraded } = contextOf(request);
    if (upgraded === undefined) throw invalid('no upgrade proto in request');
    if (upgraded.protocol !== 'h2c') throw invalid(`protocol ${upgraded.protocol} not supported`);
    const id = request.headers['x-docker-expose-session-uuid'];
    if (typeof id !== 'string' || id === '')
      throw invalid('no session id in request: send X-Docker-Expose-Session-Uuid');
    sessions.assertFree(id);
    sessions.add(id, switchProtocol(upgraded, reply));
  });
}
