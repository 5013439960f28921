import type { FastifyInstance } from 'fastify';
import type { VolumeList, VolumesPruneReport } from '#api-types';
import { invalid, matchesPattern, unavailable } from '#base';
import { pruneVolumes, type Volume } from '#volume';
import { goObject, stringMap, text } from '../decode/go-json.ts';
import { encodeVolume } from '../encode/volume.ts';
import type { ApiPorts } from '../ports.ts';
import { bodyOf, clientGone, clientOlderThan } from '../request/context.ts';
import { booleanFilter, type Filters, labelFiltersMatch } from '../request/filters.ts';
import { readOptionalJson } from '../request/json-body.ts';
import { Query } from '../request/query.ts';
import { noContent } from './containers/lifecycle.ts';
import { noManager } from './swarm.ts';

interface VolumeParams {
  Params: { name: string };
}

const cloneSchema = goObject({ Name: text, Labels: stringMap });
const createSchema = goObject({
  Name: text,
  Driver: text,
  DriverOpts: stringMap,
  Labels: stringMap,
  ClusterVolumeSpec: goObject({}).optional(),
});

/** All of /volumes. */
export function registerVolumes(app: FastifyInstance, { volumes, events }: ApiPorts): void {
  app.get('/volumes', async (request): Promise<VolumeList> => {
    const filters = new Query(request).filters(['dangling', 'driver', 'label', 'name']);
    const dangling = booleanFilter(filters, 'dangling');
    const { volumes: all, warnings } = await volumes.survey();
    const found = all.filter(
      (volume) =>
        matches(volume, filters) && (dangling === undefined || dangling === (volumes.users(volume.name).length === 0)),
    );
    return { Volumes: found.map((volume) => encodeVolume(volume)), Warnings: warnings.length > 0 ? warnings : null };
  });

  app.get<VolumeParams>('/volumes/:name', async (request) => encodeVolume(await volumes.get(request.params.name)));

  app.post('/volumes/create', async (request, reply) => {
    const wire = await readOptionalJson(request, createSchema);
    if (wire.ClusterVolumeSpec !== undefined) throw unavailable(noManager);
    const volume = await volumes.create({
      ...(wire.Name ? { name: wire.Name } : {}),
      ...(wire.Driver ? { driver: wire.Driver } : {}),
      labels: wire.Labels ?? {},
      options: wire.DriverOpts ?? {},
    });
    reply.code(201);
    return encodeVolume(volume);
  });

  // Beyond Docker: a volume with the data of another, and another name for one.
  app.post<VolumeParams>('/berth/volumes/:name/clone', async (request, reply) => {
    const wire = await readOptionalJson(request, cloneSchema);
    if (!wire.Name) throw invalid('clone: the body must have a Name');
    reply.code(201);
    return encodeVolume(await volumes.clone(request.params.name, { name: wire.Name, labels: wire.Labels ?? {} }));
  });

  app.post<VolumeParams>('/berth/volumes/:name/rename', async (request) => {
    const wire = await readOptionalJson(request, cloneSchema);
    if (!wire.Name) throw invalid('rename: the body must have a Name');
    return encodeVolume(await volumes.rename(request.params.name, wire.Name));
  });

  app.get<VolumeParams>('/berth/volumes/:name/export', async (request, reply) => {
    const archive = await volumes.export(request.params.name, { signal: clientGone(reply) });
    return reply.type('application/x-tar').send(archive);
  });

  app.post<VolumeParams>('/berth/volumes/:name/import', async (request, reply) => {
    const { name } = request.params;
    const labels = Object.fromEntries(new Query(request).list('label').map(pairOf));
    const volume = await volumes.import(name, bodyOf(request), { labels, signal: clientGone(reply) });
    reply.code(201);
    return encodeVolume(volume);
  });

  app.delete<VolumeParams>('/volumes/:name', async (request, reply) => {
    await volumes.remove(request.params.name, { force: new Query(request).bool('force') });
    return noContent(reply);
  });

  app.post('/volumes/prune', async (request): Promise<VolumesPruneReport> => {
    const filters = new Query(request).filters(['all', 'label', 'label!']);
    // Since API 1.42 only anonymous volumes go, unless all are asked for.
    const all = allFilter(filters) ?? clientOlderThan(request, '1.42');
    const { deleted, reclaimed } = await pruneVolumes(
      volumes,
      (volume) => labelFiltersMatch(volume.labels, filters) && (all || volume.anonymous),
    );
    events.publish('volume', 'prune', '', { reclaimed: String(reclaimed) });
    return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
  });
}

function pairOf(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Docker words a bad value here in another way than for other filters. */
function allFilter(filters: Filters): boolean | undefined {
  try {
    return booleanFilter(filters, 'all');
  } catch (cause) {
    const [value = ''] = filters.all ?? [];
    throw invalid(`invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`, {
      cause,
    });
  }
}

function matches(volume: Volume, filters: Filters): boolean {
  return (
    (filters.driver?.includes(volume.driver) ?? true) &&
    (filters.name?.some((pattern) => matchesPattern(volume.name, pattern)) ?? true) &&
    labelFiltersMatch(volume.labels, filters)
  );
}
