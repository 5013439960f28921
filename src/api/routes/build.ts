import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BuildPruneReport, ProgressMessage } from '#api-types';
import { invalid, notImplemented, shortId } from '#base';
import type { BuildRequest } from '#builder';
import { familiarString, parsePlatform, parseReference, withDefaultTag } from '#oci';
import type { ApiPorts } from '../ports.ts';
import { bodyOf, clientGone } from '../request/context.ts';
import { isRecord, Query } from '../request/query.ts';
import { registryConfig } from '../request/registry-auth.ts';
import { ClassicBuildOutput } from '../stream/build-output.ts';
import { ProgressStream } from '../stream/progress.ts';

const pruneFilters = [
  'description',
  'id',
  'inuse',
  'label',
  'label!',
  'parent',
  'private',
  'shared',
  'type',
  'unused-for',
  'until',
];

/** POST /build, /build/prune, /build/cancel. */
export function registerBuild(app: FastifyInstance, ports: ApiPorts): void {
  const { builder, events } = ports;

  app.post('/build', async (request, reply) => {
    const query = new Query(request);
    if (query.text('version') === '2') {
      throw notImplemented('BuildKit builds are not available: use DOCKER_BUILDKIT=0 or the berth command line');
    }
    const signal = clientGone(reply);
    const quiet = query.bool('q');
    const stream = new ProgressStream(reply);
    const tags = query
      .list('t')
      .filter((tag) => tag !== '')
      .map((tag) => familiarString(withDefaultTag(parseReference(tag))));
    const options = buildOptions(query, request);
    await stream.run(async () => {
      const unsaid: ProgressMessage[] = [];
      const output = new ClassicBuildOutput((message) => (quiet ? unsaid.push(message) : stream.send(message)));
      const context = await contextOf(ports, { request, signal });
      const { imageId } = await builder
        .build({ ...options, context, tags, signal, onEvent: output.onEvent })
        .catch((error: unknown) => {
          // A quiet build that fails says after all how far it came.
          for (const message of unsaid) stream.send(message);
          throw error;
        });
      if (quiet) {
        stream.send({ stream: `${imageId}\n` });
        return;
      }
      stream.send({ aux: { ID: imageId } });
      stream.send({ stream: `Successfully built ${shortId(imageId)}\n` });
      for (const tag of tags) stream.send({ stream: `Successfully tagged ${tag}\n` });
    });
    return reply;
  });

  app.post('/build/prune', async (request): Promise<BuildPruneReport> => {
    const query = new Query(request);
    const keepBytes = query.int('reserved-space') ?? query.int('keep-storage');
    const { deleted, reclaimed } = await builder.prune({
      all: query.bool('all'),
      filters: query.filters(pruneFilters),
      ...(keepBytes ? { keepBytes } : {}),
    });
    events.publish('builder', 'prune', '', { reclaimed: String(reclaimed) });
    return { CachesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
  });

  app.post('/build/cancel', (request, reply) => {
    // Classic builds end with their client's connection; there is nothing to find by id.
    if (new Query(request).nonEmpty('id') === undefined) throw invalid('build ID not provided');
    return reply.code(204).send();
  });
}

async function contextOf(
  { registry }: ApiPorts,
  { request, signal }: { request: FastifyRequest; signal: AbortSignal },
): Promise<Readable> {
  const remote = new Query(request).nonEmpty('remote');
  if (remote === undefined || remote === 'client-session') return bodyOf(request);
  if (registry?.download === undefined || !/^https?:\/\//.test(remote)) {
    throw notImplemented(`build context ${remote}: only a tar in the request is available in this engine`);
  }
  return registry.download(remote, signal);
}

function buildOptions(
  query: Query,
  request: FastifyRequest,
): Omit<BuildRequest, 'context' | 'tags' | 'signal' | 'onEvent'> {
  const target = query.nonEmpty('target');
  const platform = query.nonEmpty('platform');
  const [shmSize, memory, cpuShares] = [query.int('shmsize'), query.int('memory'), query.int('cpushares')];
  const cpusetCpus = query.nonEmpty('cpusetcpus');
  const labels = Object.entries(query.map('labels')).map(([key, value]) => [key, value ?? '']);
  return {
    dockerfile: query.nonEmpty('dockerfile') ?? 'Dockerfile',
    ...(target === undefined ? {} : { target }),
    buildArgs: query.map('buildargs'),
    labels: Object.fromEntries(labels),
    noCache: query.bool('nocache'),
    pull: query.bool('pull'),
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    networkMode: query.nonEmpty('networkmode') ?? 'default',
    extraHosts: query
      .list('extrahosts')
      .flatMap((entry) => entry.split(','))
      .filter((entry) => entry !== ''),
    ...(shmSize ? { shmSize } : {}),
    ...(memory ? { memory } : {}),
    ...(cpuShares ? { cpuShares } : {}),
    ...(cpusetCpus === undefined ? {} : { cpusetCpus }),
    cacheFrom: stringList(query.nonEmpty('cachefrom')),
    squash: query.bool('squash'),
    credentials: registryConfig(request),
  };
}

/** A JSON list of strings; empty for anything else, as `cachefrom` may be sent as `null` or `{}`. */
function stringList(text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    if (list === null || isRecord(list)) return [];
    if (Array.isArray(list)) return list.filter((item): item is string => typeof item === 'string');
  } catch {
    // Falls through: not JSON.
  }
  throw invalid('error reading cachefrom: want a JSON list of image names');
}
