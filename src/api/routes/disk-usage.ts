import type { FastifyInstance } from 'fastify';
import type { BuildCacheRecord, ContainerSummary, DiskUsage, ImageSummary, Volume } from '#api-types';
import { invalid } from '#base';
import { encodeContainerSummary } from '../encode/container-summary.ts';
import { encodeImageSummary } from '../encode/image.ts';
import { formatTime } from '../encode/time.ts';
import { encodeVolume } from '../encode/volume.ts';
import type { ApiPorts } from '../ports.ts';
import { clientOlderThan } from '../request/context.ts';
import { Query } from '../request/query.ts';
import { imageNames } from './containers/list.ts';
import { countUses } from './images/list.ts';

const types = ['container', 'image', 'volume', 'build-cache'] as const;

/** GET /system/df. */
export function registerDiskUsage(app: FastifyInstance, ports: ApiPorts): void {
  app.get('/system/df', async (request): Promise<DiskUsage> => {
    const asked = new Query(request).list('type');
    const unknown = asked.find((type) => !types.some((known) => known === type));
    if (unknown !== undefined) throw invalid(`unknown object type: ${unknown}`);
    const wants = (type: (typeof types)[number]) => asked.length === 0 || asked.includes(type);
    const old = clientOlderThan(request, '1.44');
    return {
      ...(wants('image') ? { LayersSize: await ports.system.layersSize(), Images: await imageUsage(ports, old) } : {}),
      ...(wants('container') ? { Containers: await containerUsage(ports) } : {}),
      ...(wants('volume') ? { Volumes: await volumeUsage(ports) } : {}),
      ...(wants('build-cache') ? { BuildCache: await cacheUsage(ports) } : {}),
      ...(clientOlderThan(request, '1.42') ? { BuilderSize: 0 } : {}),
    };
  });
}

async function imageUsage({ images, containers }: ApiPorts, old: boolean): Promise<ImageSummary[]> {
  const list = await images.list();
  const uses = countUses(await containers.list({ all: true }));
  const shared = await images.sharedSizes();
  return list.map((image) =>
    encodeImageSummary(image, { containers: uses.get(image.id) ?? 0, sharedSize: shared.get(image.id) ?? 0, old }),
  );
}

async function containerUsage({ images, containers }: ApiPorts): Promise<ContainerSummary[]> {
  const imageNamed = imageNames(await images.list());
  const now = Date.now();
  const list = await containers.list({ all: true, size: true });
  return Promise.all(
    list.map(async (container) =>
      encodeContainerSummary(container, {
        now,
        imageNamed: imageNamed(container),
        size: await containers.size(container.id),
      }),
    ),
  );
}

async function volumeUsage({ volumes }: ApiPorts): Promise<Volume[]> {
  const list = await volumes.list();
  return Promise.all(
    list.map(async (volume) =>
      encodeVolume(volume, { size: await volumes.size(volume.name), users: volumes.users(volume.name).length }),
    ),
  );
}

async function cacheUsage({ builder }: ApiPorts): Promise<BuildCacheRecord[]> {
  return (await builder.diskUsage()).map((record) => ({
    ID: record.id,
    Type: record.type,
    Description: record.description,
    InUse: record.inUse,
    Shared: record.shared,
    Size: record.size,
    CreatedAt: formatTime(record.createdAt),
    LastUsedAt: record.lastUsedAt > 0 ? formatTime(record.lastUsedAt) : null,
    UsageCount: record.usageCount,
  }));
}
