import type { FastifyInstance } from 'fastify';
import { notFound, notImplemented, unavailable } from '#base';

/** What Docker answers to all that needs a cluster. */
export const noManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const managed: readonly (readonly ['GET' | 'POST' | 'DELETE' | 'PUT', string])[] = [
  ['GET', '/swarm'],
  ['POST', '/swarm/update'],
  ['GET', '/swarm/unlockkey'],
  ...(['nodes', 'services', 'secrets', 'configs'] as const).flatMap((noun) => [
    ['GET', `/${noun}`] as const,
    ['GET', `/${noun}/:id`] as const,
    ['DELETE', `/${noun}/:id`] as const,
    ['POST', `/${noun}/:id/update`] as const,
  ]),
  ['POST', '/services/create'],
  ['POST', '/secrets/create'],
  ['POST', '/configs/create'],
  ['GET', '/services/:id/logs'],
  ['GET', '/tasks'],
  ['GET', '/tasks/:id'],
  ['GET', '/tasks/:id/logs'],
  ['PUT', '/volumes/:name'],
];

/** Swarm, nodes, services, tasks, secrets and configs: this engine is in no swarm. */
export function registerSwarm(app: FastifyInstance): void {
  for (const [method, url] of managed) {
    app.route({
      method,
      url,
      handler: () => {
        throw unavailable(noManager);
      },
    });
  }
  app.post('/swarm/leave', () => {
    throw unavailable('This node is not part of a swarm');
  });
  for (const url of ['/swarm/init', '/swarm/join', '/swarm/unlock']) {
    app.post(url, () => {
      throw notImplemented('swarm mode is not available in this engine');
    });
  }
}

/** Plugins: there are none. */
export function registerPlugins(app: FastifyInstance): void {
  app.get('/plugins', () => []);
  const missing = (name: string) => notFound(`plugin ${JSON.stringify(name)} not found`);
  app.get<{ Params: { name: string } }>('/plugins/:name/json', (request) => {
    throw missing(request.params.name);
  });
  app.delete<{ Params: { name: string } }>('/plugins/:name', (request) => {
    throw missing(request.params.name);
  });
  for (const verb of ['enable', 'disable', 'upgrade', 'push', 'set']) {
    app.post<{ Params: { name: string } }>(`/plugins/:name/${verb}`, (request) => {
      throw missing(request.params.name);
    });
  }
  const refuse = () => {
    throw notImplemented('plugins are not available in this engine');
  };
  app.get('/plugins/privileges', refuse);
  app.post('/plugins/pull', refuse);
  app.post('/plugins/create', refuse);
}
