import type { ContainerSummary } from '#api-types';
import type { Client } from '#client';
import { labels, type Observed, type ObservedContainer } from '../plan/index.ts';

function observedContainer(summary: ContainerSummary): ObservedContainer {
  const own = summary.Names.find((name) => name.lastIndexOf('/') === 0) ?? summary.Names[0] ?? '';
  const networks = summary.NetworkSettings?.Networks ?? {};
  return {
    id: summary.Id,
    name: own.replace(/^\//, ''),
    service: summary.Labels[labels.service] ?? '',
    number: Number(summary.Labels[labels.number] ?? 0) || 0,
    oneOff: summary.Labels[labels.oneOff] === 'True',
    state: summary.State,
    status: summary.Status,
    labels: summary.Labels,
    image: summary.Image,
    imageId: summary.ImageID,
    networks: Object.fromEntries(Object.entries(networks).map(([name, { NetworkID }]) => [name, NetworkID ?? ''])),
    mounts: summary.Mounts ?? [],
    created: summary.Created,
  };
}

/** The project's containers in any state, by name. */
export async function observeContainers(client: Client, project: string): Promise<ObservedContainer[]> {
  const list = await client.containers.list({
    all: true,
    filters: [`label=${labels.project}=${project}`, `label=${labels.configHash}`],
  });
  return list.map(observedContainer).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One look at all that a project consists of. The three questions are asked at once. */
export async function observe(client: Client, project: string): Promise<Observed> {
  const [containers, networks, volumes] = await Promise.all([
    observeContainers(client, project),
    client.networks.list(),
    client.volumes.list(),
  ]);
  return {
    containers,
    networks: networks.map(({ Id, Name, Labels }) => ({ id: Id, name: Name, labels: Labels ?? {} })),
    volumes: (volumes.Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels ?? {} })),
  };
}
