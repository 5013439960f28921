import { join } from 'node:path';
import { type ApiServer, createApiServer } from '#api';
import { createArchiver } from '#archive';
import type { Logger } from '#base';
import { builderMigrations, createBuilder } from '#builder';
import { openContentStore } from '#content';
import { announceNetworks, announceVolumes, createContainerEngine, createJournal, engineMigrations } from '#engine';
import {
  Cgroup,
  createConnections,
  createFirewall,
  createHostTrees,
  createLinks,
  createMounts,
  createNetworkNamespaces,
  createProcesses,
  createSockets,
  detectCgroups,
  type Processes,
} from '#host';
import { bootstrap, createImageStore, imageMigrations } from '#image';
import { openDatabase } from '#metadata';
import { createNetworkService, networkMigrations } from '#network';
import { createRegistryClient } from '#registry-client';
import { createRuntime, readLog, whyNoCheckpoints } from '#runtime';
import { createOverlaySnapshotter, snapshotMigrations } from '#snapshot';
import { createVolumeService, volumeMigrations } from '#volume';
import { createBuildNetworks } from './build-networks.ts';
import type { DaemonConfig } from './config.ts';
import { engineVersion, gatherFacts, readEngineId } from './engine-facts.ts';
import { createRegistryPort } from './registry-port.ts';
import type { Roots } from './roots.ts';

const migrations = [
  ...snapshotMigrations,
  ...imageMigrations,
  ...networkMigrations,
  ...volumeMigrations,
  ...engineMigrations,
  ...builderMigrations,
];

/** A daemon that is ready: everything reconciled, nothing listening yet. */
export interface AssembledDaemon {
  readonly api: ApiServer;
  readonly processes: Processes;
  /**
   * Stops the parts, last made first. True when nothing runs any more and no container has secrets, which live in this
   * mount namespace: then the host can be left as it was found.
   */
  stop(): Promise<boolean>;
}

/** Where a daemon lives. */
export interface DaemonPlace {
  readonly roots: Roots;
  readonly logger: Logger;
  /** Set in a mount namespace of its own, where mounts disturb nobody: the way to the host's. */
  readonly hostNamespaceFd: number | undefined;
}

/** Makes every room, gives each what it needs, and reconciles them with disk and kernel. The one place that knows all. */
export async function assemble(config: DaemonConfig, place: DaemonPlace): Promise<AssembledDaemon> {
  const { roots, logger } = place;
  const suffix = config.instance === '' ? '' : `-${config.instance}`;
  const cgroupParent = config.cgroupParent ?? `/berth${suffix}`;

  const namespaces = createNetworkNamespaces();
  const processes = createProcesses({ namespaces });
  const mounts = createMounts();
  const database = openDatabase(roots.database, migrations);

  const journal = createJournal({ database, tail: `${roots.database}.events` });

  const content = await openContentStore({ root: roots.content });
  const snapshots = await createOverlaySnapshotter({
    database,
    root: roots.snapshots,
    link: roots.layerLink,
    mounts,
    processes,
  });
  await snapshots.reconcile();
  const archiver = createArchiver();
  const registry = createRegistryClient({
    mirrors: config.registryMirrors,
    insecureRegistries: config.insecureRegistries,
    certificateDirectories: ['/etc/berth/certs.d', '/etc/docker/certs.d'],
    userAgent: `berth/${engineVersion}`,
  });
  const scratch = join(config.dataRoot, 'scratch');
  const images = await createImageStore({
    database,
    content,
    snapshots,
    archiver,
    registry,
    scratch,
    keepVersions: config.imageVersions,
    onEvent: ({ action, id, name }) => journal.publish('image', action, id, { name }),
    keepSnapshots: () => new Set([...engine.snapshotsInUse(), ...builder.keepSnapshots()]),
  });
  const runtime = await createRuntime({
    execRoot: config.execRoot,
    processes,
    logger,
    ...(place.hostNamespaceFd === undefined ? {} : { mounts }),
    morePrograms: config.runtimes,
    ...(config.defaultRuntime === undefined ? {} : { defaultRuntime: config.defaultRuntime }),
  });
  const networks = createNetworkService({
    database,
    namespaces,
    links: createLinks(namespaces),
    firewall: createFirewall(namespaces),
    connections: createConnections(),
    sockets: createSockets(),
    execRoot: config.execRoot,
    instance: config.instance,
    bridge: config.bridge ?? (config.instance === '' ? 'berth0' : `berth${config.instance}`),
    ...(config.bip === undefined ? {} : { bip: config.bip }),
    addressPools: config.addressPools,
    firewallMode: config.firewall,
    forwardDrop: config.forwardDrop,
    log: logger,
  });
  const volumes = createVolumeService({ database, root: roots.volumes, mounts, processes, trees: archiver });
  const engine = createContainerEngine({
    database,
    journal,
    images,
    snapshots,
    runtime,
    readLog,
    networks,
    volumes,
    trees: archiver,
    mounts,
    hostTrees: createHostTrees({ namespaceFd: place.hostNamespaceFd, mounts }),
    processes,
    logger,
    dataRoot: config.dataRoot,
    execRoot: config.execRoot,
    cgroupParent,
    defaultLog: config.defaultLog,
  });
  const builder = createBuilder({
    database,
    images,
    snapshots,
    archiver,
    runtime,
    networks: createBuildNetworks(networks),
    mounts,
    logger,
    dataDirectory: roots.build,
    runDirectory: roots.buildRun,
    cgroupParent,
    keepSnapshots: async () => engine.snapshotsInUse(),
  });
  await engine.reconcile();
  await builder.reconcile();
  // What a load, pull or build was making when an earlier daemon was killed.
  await images.collectGarbage(new Set([...engine.snapshotsInUse(), ...builder.keepSnapshots()]));

  const facts = await gatherFacts(config, { runtime, engineId: readEngineId(config.dataRoot) });
  const api = await createApiServer(
    {
      containers: engine.containers,
      execs: engine.execs,
      history: engine.history,
      turns: engine.turns,
      projectLogs: engine.projectLogs,
      events: journal,
      images,
      networks: announceNetworks(networks, journal),
      volumes: announceVolumes(volumes, journal),
      builder,
      registry: createRegistryPort(registry),
      bootstrap: { make: (spec, options) => bootstrap(spec, { images, processes, scratch, ...options }) },
      system: {
        facts: async () => ({ ...facts, eventListeners: journal.listeners }),
        layersSize: () => images.layersSize(),
        greeted: () => runtime.warmUp(),
        whyNoCheckpoints: () => whyNoCheckpoints(processes),
      },
    },
    { log: logger, version: engineVersion },
  );

  return {
    api,
    processes,
    async stop() {
      await engine.shutdown();
      const { running, paused, restarting } = engine.containers.counts();
      const hasSecrets = engine.hasSecrets();
      await networks.shutdown();
      await builder.close();
      await archiver.close();
      registry.close();
      journal.close();
      database.close();
      const idle = running + paused + restarting === 0;
      if (idle) await new Cgroup(await detectCgroups(), cgroupParent).remove();
      return idle && !hasSecrets;
    },
  };
}
