import type { BuildCacheRecord, DiskUsage } from '#api-types';
import { type Command, ExitError, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { ago, humanSize, renderListing } from '../format/index.ts';
import { connectClient } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { imageListing, imageRows } from './images.ts';
import { containerListing, containerRow, formatHelp } from './ps.ts';
import { volumeListing, volumeRow } from './volume-ls.ts';

const flags = flagTable(`
      --format string   ${formatHelp}
  -v, --verbose         Show each object
`);

interface Part {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
  readonly percent: boolean;
}

function parts(usage: DiskUsage): Part[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = usage.Volumes ?? [];
  const cache = usage.BuildCache ?? [];
  const layers = usage.LayersSize ?? 0;
  const used = images.reduce(
    (sum, image) =>
      image.Containers > 0 && image.Size >= 0 && image.SharedSize >= 0 ? sum + image.Size - image.SharedSize : sum,
    0,
  );
  const active = (state: string) => /^(running|paused|restarting)/.test(state);
  const written = (list: typeof containers) => list.reduce((sum, container) => sum + (container.SizeRw ?? 0), 0);
  const sized = volumes.filter((volume) => (volume.UsageData?.Size ?? -1) >= 0);
  const volumeSize = (list: typeof volumes) => list.reduce((sum, volume) => sum + (volume.UsageData?.Size ?? 0), 0);
  const cacheSize = (list: BuildCacheRecord[]) =>
    list.reduce((sum, record) => (record.Shared ? sum : sum + record.Size), 0);
  return [
    {
      type: 'Images',
      total: images.length,
      active: images.filter((image) => image.Containers > 0).length,
      size: layers,
      reclaimable: layers - used,
      percent: true,
    },
    {
      type: 'Containers',
      total: containers.length,
      active: containers.filter((one) => active(one.State)).length,
      size: written(containers),
      reclaimable: written(containers.filter((one) => !active(one.State))),
      percent: true,
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: volumes.filter((one) => (one.UsageData?.RefCount ?? 0) > 0).length,
      size: volumeSize(sized),
      reclaimable: volumeSize(sized.filter((one) => one.UsageData?.RefCount === 0)),
      percent: true,
    },
    {
      type: 'Build Cache',
      total: cache.length,
      active: cache.filter((record) => record.InUse).length,
      size: cacheSize(cache),
      reclaimable: cacheSize(cache.filter((record) => !record.InUse)),
      percent: false,
    },
  ];
}

function partRow(part: Part): TypedObject {
  const share = part.percent && part.size > 0 ? ` (${Math.trunc((part.reclaimable * 100) / part.size)}%)` : '';
  return {
    [typeName]: '*formatter.diskUsageContext',
    Type: part.type,
    TotalCount: String(part.total),
    Active: String(part.active),
    Size: humanSize(part.size),
    Reclaimable: humanSize(part.reclaimable) + share,
  };
}

function cacheRow(record: BuildCacheRecord): TypedObject {
  const since = (time: string | null) => (time ? ago(Date.parse(time) / 1000) : '');
  return {
    [typeName]: '*formatter.buildCacheContext',
    ID: `${record.ID.slice(0, 12)}${record.InUse ? '*' : ''}`,
    CacheType: record.Type,
    Size: humanSize(record.Size, 3),
    CreatedSince: since(record.CreatedAt),
    LastUsedSince: since(record.LastUsedAt),
    UsageCount: String(record.UsageCount),
    Shared: String(record.Shared),
  };
}

function verbose(usage: DiskUsage): string {
  const images = imageListing({ digests: false, quiet: false });
  const rows = (usage.Images ?? []).flatMap((image) =>
    imageRows(image, { digests: false, full: false, dangling: false }),
  );
  const cache = usage.BuildCache ?? [];
  const cacheHeaders = {
    ID: 'CACHE ID',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
  };
  return [
    'Images space usage:\n\n',
    renderListing(rows, '', {
      ...images,
      table:
        '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
    }),
    '\nContainers space usage:\n\n',
    renderListing(
      // What it has written is all that counts here: the image is told of above.
      (usage.Containers ?? []).map((one) => containerRow({ ...one, SizeRootFs: 0 }, false)),
      '',
      {
        ...containerListing({ size: true, quiet: false }),
        table:
          '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
      },
    ),
    '\nLocal Volumes space usage:\n\n',
    renderListing((usage.Volumes ?? []).map(volumeRow), '', volumeListing('{{.Name}}\t{{.Links}}\t{{.Size}}', false)),
    `\nBuild cache usage: ${humanSize(cache.reduce((sum, record) => (record.Shared ? sum : sum + record.Size), 0))}\n\n`,
    renderListing(cache.map(cacheRow), '', {
      table: '{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
      headers: cacheHeaders,
    }),
  ].join('');
}

/** `berth system df`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Show disk usage',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    const format = given.string('format');
    if (given.bool('verbose') && format !== '') {
      throw new ExitError(1, 'the verbose and the format options conflict\n');
    }
    const client = await connectClient(invocation);
    const usage = await client.system.diskUsage();
    if (given.bool('verbose')) {
      terminal.stdout.write(verbose(usage));
      return;
    }
    const text = renderListing(parts(usage).map(partRow), format, {
      table: '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
      headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
    });
    terminal.stdout.write(text);
  },
};
