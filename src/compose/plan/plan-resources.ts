import { invalid, notFound } from '#base';
import {
  type Network,
  networkHash,
  type Project,
  placeOf,
  type Service,
  type Volume,
  volumeHash,
} from '../model/index.ts';
import { composeVersion, labels } from './labels.ts';
import { resourceName } from './names.ts';
import type { ObservedContainer, ObservedNetwork } from './observed.ts';
import { type PlanBuilder, refOf } from './plan.ts';
import type { UpPlanInput } from './up-input.ts';

/** What became of the networks and volumes, for the containers that use them. */
export interface PlannedResources {
  /** Steps that a container on these must come after: by key in the file. */
  readonly networkSteps: ReadonlyMap<string, string>;
  readonly volumeSteps: ReadonlyMap<string, string>;
  /** Ids of networks that stay, by key. */
  readonly networkIds: ReadonlyMap<string, string>;
  /** Keys of networks and volumes that are made anew: containers on them must be, too. */
  readonly renewed: ReadonlySet<string>;
}

function createNetwork(builder: PlanBuilder, project: Project, key: string, options: { after: string[]; why: string }) {
  const network = project.networks[key] as Network;
  const pools = network.ipam?.config ?? [];
  const body = {
    Name: network.name,
    Driver: network.driver ?? '',
    Internal: network.internal ?? false,
    Attachable: network.attachable ?? false,
    ...(network.enable_ipv4 === undefined ? {} : { EnableIPv4: network.enable_ipv4 }),
    ...(network.enable_ipv6 === undefined ? {} : { EnableIPv6: network.enable_ipv6 }),
    Options: network.driver_opts ?? null,
    IPAM:
      pools.length === 0 && !network.ipam?.driver
        ? null
        : {
            Driver: network.ipam?.driver ?? '',
            Config: pools.map((pool) => ({
              ...(pool.subnet ? { Subnet: pool.subnet } : {}),
              ...(pool.ip_range ? { IPRange: pool.ip_range } : {}),
              ...(pool.gateway ? { Gateway: pool.gateway } : {}),
              ...(pool.aux_addresses ? { AuxiliaryAddresses: pool.aux_addresses } : {}),
            })),
          },
    Labels: {
      ...network.labels,
      [labels.network]: key,
      [labels.project]: project.name,
      [labels.version]: composeVersion,
      [labels.configHash]: networkHash(network),
    },
  };
  return builder.add({
    id: `network ${key}`,
    operation: { kind: 'create-network', body },
    reason: options.why,
    after: options.after,
    display: { resource: resourceName('Network', network.name), begin: 'Creating', end: 'Created' },
  });
}

/** Takes a network that differs from the file out of use; containers on it are stopped first. */
function removeNetwork(builder: PlanBuilder, found: ObservedNetwork, users: readonly ObservedContainer[]): string {
  const left = users.map((container) => {
    const ref = refOf(container);
    const stop = builder.add({
      id: `stop ${ref.key}`,
      operation: { kind: 'stop-container', container: ref },
      reason: `network ${found.name} is made anew`,
      after: [],
      display: { resource: resourceName('Container', container.name), begin: 'Stopping', end: 'Stopped' },
    });
    return builder.add({
      id: `disconnect ${ref.key} ${found.name}`,
      operation: { kind: 'disconnect-network', network: found.id, container: ref },
      reason: `network ${found.name} is made anew`,
      after: [stop],
    });
  });
  return builder.add({
    id: `remove network ${found.name}`,
    operation: { kind: 'remove-network', id: found.id, name: found.name },
    reason: 'its configuration changed',
    after: left,
    display: { resource: resourceName('Network', found.name), begin: 'Removing', end: 'Removed' },
  });
}

function checkNetworkLabels(builder: PlanBuilder, project: Project, key: string, found: ObservedNetwork): void {
  const owner = found.labels[labels.project];
  if (owner !== undefined && owner !== project.name) {
    builder.warn(
      `a network with name ${found.name} exists but was not created for project "${project.name}".\nSet \`external: true\` to use an existing network`,
    );
  } else if (found.labels[labels.network] !== key) {
    throw invalid(
      `network ${found.name} was found but has incorrect label ${labels.network} set to ${JSON.stringify(found.labels[labels.network] ?? '')} (expected: "${key}")`,
    );
  }
}

function createVolume(builder: PlanBuilder, project: Project, key: string, options: { after: string[]; why: string }) {
  const volume = project.volumes[key] as Volume;
  const body = {
    Name: volume.name,
    ...(volume.driver ? { Driver: volume.driver } : {}),
    ...(volume.driver_opts ? { DriverOpts: volume.driver_opts } : {}),
    Labels: {
      ...volume.labels,
      [labels.volume]: key,
      [labels.project]: project.name,
      [labels.version]: composeVersion,
      [labels.configHash]: volumeHash(volume),
    },
  };
  return builder.add({
    id: `volume ${key}`,
    operation: { kind: 'create-volume', body },
    reason: options.why,
    after: options.after,
    display: { resource: resourceName('Volume', volume.name), begin: 'Creating', end: 'Created' },
  });
}

function planNetworks(builder: PlanBuilder, input: UpPlanInput, services: readonly Service[]) {
  const { project, observed } = input;
  const steps = new Map<string, string>();
  const ids = new Map<string, string>();
  const renewed = new Set<string>();
  const used = new Set(services.flatMap((service) => Object.keys(service.networks ?? {})));
  for (const key of [...used].sort()) {
    const network = project.networks[key];
    if (network === undefined) continue;
    const found = observed.networks.find(
      ({ name, id }) => name === network.name || (network.external && id === network.name),
    );
    if (network.external) {
      if (found === undefined) {
        const place = placeOf(project, ['networks', key]);
        throw notFound(`network ${network.name} declared as external, but could not be found${place}`);
      }
      ids.set(key, found.id);
      continue;
    }
    if (found === undefined) {
      steps.set(key, createNetwork(builder, project, key, { after: [], why: 'there is none of that name' }));
      continue;
    }
    checkNetworkLabels(builder, project, key, found);
    const hash = found.labels[labels.configHash];
    if (hash === undefined || hash === networkHash(network) || found.labels[labels.project] !== project.name) {
      ids.set(key, found.id);
      continue;
    }
    const users = observed.containers.filter((container) => Object.values(container.networks).includes(found.id));
    const removed = removeNetwork(builder, found, users);
    steps.set(key, createNetwork(builder, project, key, { after: [removed], why: 'its configuration changed' }));
    renewed.add(key);
  }
  return { steps, ids, renewed };
}

/** Names of the project's volumes that exist with another configuration than the file's. */
export function divergedVolumes(project: Project, observed: UpPlanInput['observed']): string[] {
  return Object.values(project.volumes).flatMap((volume) => {
    const found = observed.volumes.find(({ name }) => name === volume.name);
    const hash = found?.labels[labels.configHash];
    const ours = found?.labels[labels.project] === project.name;
    return !volume.external && ours && hash !== undefined && hash !== volumeHash(volume) ? [volume.name] : [];
  });
}

function planVolumes(builder: PlanBuilder, input: UpPlanInput, services: readonly Service[]) {
  const { project, observed } = input;
  const steps = new Map<string, string>();
  const renewed = new Set<string>();
  const used = services.flatMap((service) =>
    (service.volumes ?? []).flatMap((mount) => (mount.type === 'volume' && mount.source ? [mount.source] : [])),
  );
  for (const key of [...new Set(used)].sort()) {
    const volume = project.volumes[key];
    if (volume === undefined) continue;
    const found = observed.volumes.find(({ name }) => name === volume.name);
    if (volume.external) {
      if (found === undefined) {
        throw notFound(`external volume "${volume.name}" not found${placeOf(project, ['volumes', key])}`);
      }
    } else if (found === undefined) {
      steps.set(key, createVolume(builder, project, key, { after: [], why: 'there is none of that name' }));
    } else if (input.recreateVolumes.has(volume.name)) {
      const users = observed.containers.filter(({ mounts }) => mounts.some(({ Name }) => Name === volume.name));
      const gone = users.map((container) => removeUser(builder, container, volume.name));
      const removed = builder.add({
        id: `remove volume ${volume.name}`,
        operation: { kind: 'remove-volume', name: volume.name },
        reason: 'its configuration changed',
        after: gone,
        display: { resource: resourceName('Volume', volume.name), begin: 'Removing', end: 'Removed' },
      });
      steps.set(key, createVolume(builder, project, key, { after: [removed], why: 'its configuration changed' }));
      renewed.add(key);
    } else warnOfForeignVolume(builder, project, found);
  }
  return { steps, renewed };
}

function warnOfForeignVolume(
  builder: PlanBuilder,
  project: Project,
  found: { name: string; labels: Readonly<Record<string, string>> },
): void {
  const owner = found.labels[labels.project];
  if (owner === project.name) return;
  const whose =
    owner === undefined
      ? 'was not created by Docker Compose'
      : `was created for project "${owner}" (expected "${project.name}")`;
  builder.warn(`volume "${found.name}" already exists but ${whose}. Use \`external: true\` to use an existing volume`);
}

/** A volume can only go when no container, even a stopped one, names it. */
function removeUser(builder: PlanBuilder, container: ObservedContainer, volume: string): string {
  const ref = refOf(container);
  const reason = `volume ${volume} is made anew`;
  const resource = resourceName('Container', container.name);
  const stop = builder.add({
    id: `stop ${ref.key}`,
    operation: { kind: 'stop-container', container: ref },
    reason,
    after: [],
    display: { resource, begin: 'Stopping', end: 'Stopped' },
  });
  return builder.add({
    id: `remove ${ref.key}`,
    operation: { kind: 'remove-container', container: ref, volumes: false, force: true },
    reason,
    after: [stop],
    display: { resource, begin: 'Removing', end: 'Removed' },
  });
}

/**
 * Plans the networks and volumes of services. Throws `not-found` for an external one that is missing and `invalid` for a
 * network of the right name that belongs to something else.
 */
export function planResources(
  builder: PlanBuilder,
  input: UpPlanInput,
  services: readonly Service[],
): PlannedResources {
  const networks = planNetworks(builder, input, services);
  const volumes = planVolumes(builder, input, services);
  return {
    networkSteps: networks.steps,
    networkIds: networks.ids,
    volumeSteps: volumes.steps,
    renewed: new Set([
      ...[...networks.renewed].map((key) => `network ${key}`),
      ...[...volumes.renewed].map((key) => `volume ${key}`),
    ]),
  };
}
