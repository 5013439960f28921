import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AuthResponse, DistributionInspect } from '#api-types';
import { invalid, notImplemented } from '#base';
import type { EngineEvent } from '#engine';
import { encodeEvent } from '../encode/event.ts';
import { encodeInfo, encodeVersion } from '../encode/system.ts';
import type { ApiPorts } from '../ports.ts';
import { clientGone } from '../request/context.ts';
import { readOptionalJson } from '../request/json-body.ts';
import { parseTimestamp, Query } from '../request/query.ts';
import { authSchema, decodeAuth, registryAuth } from '../request/registry-auth.ts';
import { startStream } from '../stream/lines.ts';

/** Ping, version, info, events, auth, distribution, session and grpc. */
export function registerSystem(app: FastifyInstance, ports: ApiPorts): void {
  const { system, containers, images, registry } = ports;
  const ping = (reply: FastifyReply) => {
    system.greeted();
    return reply
      .headers({
        // 1: the classic builder. Clients take BuildKit only where this says 2.
        'Builder-Version': '1',
        Swarm: 'inactive',
        'Cache-Control': 'no-cache, no-store, must-revalidate',
        Pragma: 'no-cache',
      })
      .type('text/plain; charset=utf-8');
  };
  app.get('/_ping', (_request, reply) => ping(reply).send('OK'));
  app.head('/_ping', (_request, reply) => ping(reply).header('Content-Length', '0').send());

  app.get('/version', async () => encodeVersion(await system.facts()));

  app.get('/info', async () => {
    const [facts, list] = await Promise.all([system.facts(), images.list()]);
    return encodeInfo(facts, { containers: containers.counts(), images: list.length }, Date.now());
  });

  registerEvents(app, ports);

  app.post('/auth', async (request): Promise<AuthResponse> => {
    const credentials = decodeAuth(await readOptionalJson(request, authSchema));
    if (registry === undefined) throw notImplemented('checking a login is not available in this engine');
    const { status, identityToken } = await registry.login(credentials);
    return { Status: status, IdentityToken: identityToken ?? '' };
  });

  app.get<{ Params: { name: string } }>(
    '/distribution/:name/json',
    async (request, reply): Promise<DistributionInspect> => {
      if (registry === undefined)
        throw notImplemented('asking a registry for an image is not available in this engine');
      const credentials = registryAuth(request);
      const { descriptor, platforms } = await registry.inspect(request.params.name, {
        ...(credentials ? { credentials } : {}),
        signal: clientGone(reply),
      });
      return { Descriptor: descriptor, Platforms: platforms };
    },
  );
}

function registerEvents(app: FastifyInstance, { events }: ApiPorts): void {
  app.get('/events', async (request, reply) => {
    const query = new Query(request);
    const until = parseTimestamp(query.text('until'));
    // Only an end asks for all there was before it.
    const since = parseTimestamp(query.text('since')) ?? (until === undefined ? undefined : 0n);
    if (since !== undefined && until !== undefined && since > until) {
      throw invalid(`\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`);
    }
    const filters = query.filters();
    const signal = clientGone(reply);
    const found: AsyncIterable<EngineEvent> = events.read({
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      filters,
      signal,
    });
    const writer = startStream(reply, 'application/json');
    try {
      for await (const event of found) {
        if (signal.aborted) break;
        await writer.write(encodeEvent(event));
      }
    } catch (error) {
      if (!signal.aborted) request.log.error(error);
    }
    writer.end();
    return reply;
  });
}
