import type { Client } from '#client';
import { humanSize } from './format/index.ts';

/** What a prune removed, in words, and how much room it made in bytes. */
export interface PruneOutcome {
  readonly text: string;
  readonly reclaimed: number;
}

function listed(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}:\n${lines.join('\n')}\n\n`;
}

/** Removes stopped containers. */
export async function pruneContainers(client: Client, filters: readonly string[]): Promise<PruneOutcome> {
  const report = await client.containers.prune(filters);
  return { text: listed('Deleted Containers', report.ContainersDeleted ?? []), reclaimed: report.SpaceReclaimed };
}

/** Removes images that no container uses; only those without a name unless `all`. */
export async function pruneImages(client: Client, filters: readonly string[], all: boolean): Promise<PruneOutcome> {
  const report = await client.images.prune([...filters, `dangling=${!all}`]);
  const lines = (report.ImagesDeleted ?? []).map((item) =>
    item.Untagged ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`,
  );
  return { text: listed('Deleted Images', lines), reclaimed: report.SpaceReclaimed };
}

/** Removes volumes that no container uses; only anonymous ones unless `all`. */
export async function pruneVolumes(client: Client, filters: readonly string[], all: boolean): Promise<PruneOutcome> {
  const report = await client.volumes.prune(all ? [...filters, 'all=true'] : filters);
  return { text: listed('Deleted Volumes', report.VolumesDeleted ?? []), reclaimed: report.SpaceReclaimed };
}

/** Removes networks that no container uses. */
export async function pruneNetworks(client: Client, filters: readonly string[]): Promise<PruneOutcome> {
  const report = await client.networks.prune(filters);
  return { text: listed('Deleted Networks', report.NetworksDeleted ?? []), reclaimed: 0 };
}

/** Removes build cache that nothing uses. */
export async function pruneBuildCache(client: Client, filters: readonly string[], all: boolean): Promise<PruneOutcome> {
  const report = await client.system.pruneBuildCache({ all, filters });
  return { text: listed('Deleted build cache objects', report.CachesDeleted ?? []), reclaimed: report.SpaceReclaimed };
}

/** The last line of every prune. */
export function reclaimedLine(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes)}\n`;
}
