import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { invalid, notImplemented } from '#base';
import type { BuildRequest } from '#builder';
import { familiarString, parsePlatform, parseReference, withDefaultTag } from '#oci';
import type { ApiPorts } from '../../ports.ts';
import { bodyOf } from '../../request/context.ts';
import { isRecord, type Query } from '../../request/query.ts';
import { registryConfig } from '../../request/registry-auth.ts';

/** A tag as it is shown, with `:latest` where it names none. Throws `invalid`. */
export function fullTag(tag: string): string {
  return familiarString(withDefaultTag(parseReference(tag)));
}

/** A context that the request holds, or that lies where `remote` says. Throws `not-implemented`. */
export async function givenContext(
  { registry }: ApiPorts,
  { request, remote, signal }: { request: FastifyRequest; remote: string | undefined; signal: AbortSignal },
): Promise<Readable> {
  if (remote === undefined) return bodyOf(request);
  if (registry?.download === undefined || !/^https?:\/\//.test(remote)) {
    throw notImplemented(`build context ${remote}: only a tar in the request is available in this engine`);
  }
  return registry.download(remote, signal);
}

/** What the query and the headers of a build say, beside its context. Throws `invalid`. */
export function buildOptions(
  query: Query,
  request: FastifyRequest,
): Omit<BuildRequest, 'context' | 'signal' | 'onEvent'> {
  const target = query.nonEmpty('target');
  const platform = query.nonEmpty('platform');
  const [shmSize, memory, cpuShares] = [query.int('shmsize'), query.int('memory'), query.int('cpushares')];
  const cpusetCpus = query.nonEmpty('cpusetcpus');
  const labels = Object.entries(query.map('labels')).map(([key, value]) => [key, value ?? '']);
  return {
    tags: query
      .list('t')
      .filter((tag) => tag !== '')
      .map(fullTag),
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
