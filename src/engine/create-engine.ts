import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeArchiver } from '#archive';
import type { Logger } from '#base';
import type { HostTrees, Mounts, Processes } from '#host';
import type { ImageMaker, ImageReader } from '#image';
import type { Database } from '#metadata';
import type { NetworkService } from '#network';
import type { Runtime } from '#runtime';
import type { Snapshotter } from '#snapshot';
import type { VolumeService } from '#volume';
import type { ContainerParts } from './containers/container-parts.ts';
import { ContainerService } from './containers/container-service.ts';
import type { Containers } from './containers/containers.ts';
import { checkLog, type LogChoice } from './containers/create/log-options.ts';
import { HealthMonitor } from './containers/health/health-monitor.ts';
import type { ReadLog } from './containers/inspect/logs.ts';
import { readStats } from './containers/inspect/stats.ts';
import { StatsSampler } from './containers/inspect/stats-sampler.ts';
import { BackgroundWork } from './containers/life/background-work.ts';
import { Supervisor } from './containers/life/supervisor.ts';
import { reconcile } from './containers/reconcile.ts';
import { ContainerRegistry } from './containers/registry.ts';
import { RootfsMounts } from './containers/rootfs/rootfs-mounts.ts';
import { SecretFiles } from './containers/secrets/secret-files.ts';
import { HostSources } from './containers/start/host-sources.ts';
import { reachableAddress } from './containers/start/open-network.ts';
import type { Journal } from './events/journal.ts';
import { ExecService } from './exec/exec-service.ts';
import type { Execs } from './exec/execs.ts';
import { LogShipper } from './logging/log-shipper.ts';
import { KeptLogs, type ProjectLogs } from './projects/kept-logs.ts';
import { createProjectHistory, type ProjectHistory } from './projects/project-history.ts';
import { ProjectTurns } from './projects/project-turns.ts';
import { readHostLimits } from './system/host-limits.ts';

/** The rooms below, and where things are kept. */
export interface EngineOptions {
  readonly database: Database;
  readonly journal: Journal;
  readonly images: ImageReader & ImageMaker;
  readonly snapshots: Snapshotter;
  readonly runtime: Runtime;
  /** The runtime room's log reader. */
  readonly readLog: ReadLog;
  readonly networks: NetworkService;
  readonly volumes: VolumeService;
  readonly trees: TreeArchiver;
  readonly mounts: Mounts;
  /** The host's own mounts, for binds through which mounts spread; those are used as they are without it. */
  readonly hostTrees?: HostTrees;
  readonly processes: Processes;
  readonly logger: Logger;
  /** Durable: gets `containers/ID`. */
  readonly dataRoot: string;
  /** Ends with the boot: gets `rootfs/ID`, `shm/ID` and `secrets/ID`. */
  readonly execRoot: string;
  /** Cgroup above all containers' (`/berth`). */
  readonly cgroupParent: string;
  /** Program for `--init`; default tini's usual place in Debian. */
  readonly initPath?: string;
  readonly initByDefault?: boolean;
  /** Driver and options for containers that name none; default `json-file`. */
  readonly defaultLog?: LogChoice;
}

/** The use cases, and the two calls that a daemon makes itself. */
export interface ContainerEngine {
  readonly containers: Containers;
  readonly execs: Execs;
  /** Logs of earlier containers of Compose projects. */
  readonly projectLogs: ProjectLogs;
  /** Revisions of Compose projects. */
  readonly history: ProjectHistory;
  /** Whose turn it is to change a Compose project. */
  readonly turns: ProjectTurns;
  /** Snapshot keys that containers stand on: not to be collected with images. */
  snapshotsInUse(): ReadonlySet<string>;
  /** True while a container, running or not, has secrets: what they are mounted in must outlive the daemon. */
  hasSecrets(): boolean;
  /** Takes over, records, cleans up, restarts. Once, before the first call of a client. */
  reconcile(): Promise<void>;
  /** Ends timers and waits for work under way; containers go on. */
  shutdown(): Promise<void>;
}

/** Puts the use cases together. Nothing starts to move before `reconcile`. */
export function createContainerEngine(options: EngineOptions): ContainerEngine {
  const { journal, logger, networks, runtime, snapshots, volumes } = options;
  const directory = join(options.dataRoot, 'containers');
  const shmDirectory = join(options.execRoot, 'shm');
  const rootfsDirectory = join(options.execRoot, 'rootfs');
  const secretDirectory = join(options.execRoot, 'secrets');
  const sourcesDirectory = join(options.execRoot, 'sources');
  for (const path of [directory, shmDirectory, rootfsDirectory, sourcesDirectory])
    mkdirSync(path, { recursive: true, mode: 0o711 });
  mkdirSync(secretDirectory, { recursive: true, mode: 0o700 });

  const registry = new ContainerRegistry(options.database, journal);
  const rootfs = new RootfsMounts(snapshots, rootfsDirectory);
  const hostSources = new HostSources(options.hostTrees, sourcesDirectory);
  const background = new BackgroundWork(logger);
  const limits = readHostLimits();
  const defaultLog = options.defaultLog ?? { driver: 'json-file', options: {} };
  checkLog(defaultLog);
  const health = new HealthMonitor({
    registry,
    events: journal,
    rootfs,
    addressOf: (container) => reachableAddress(registry, container),
    restart: (container) => {
      const why = `restart of unhealthy container ${container.name}`;
      void background.run(why, () => containers.restart(container.id));
    },
  });
  const keptLogs = new KeptLogs({
    database: options.database,
    root: join(options.dataRoot, 'kept-logs'),
    readLog: options.readLog,
    logger,
  });
  const shared = {
    ...options,
    registry,
    rootfs,
    hostSources,
    background,
    keptLogs,
    logShipper: new LogShipper({ readLog: options.readLog, directory, logger }),
    limits,
    defaultLog,
    health,
    events: journal,
    hostMounts: options.mounts,
    secrets: new SecretFiles(options.mounts, secretDirectory),
  };
  const supervisor = new Supervisor({
    ...shared,
    initPath: options.initPath ?? '/usr/bin/tini-static',
    initByDefault: options.initByDefault ?? false,
    shmDirectory,
  });
  const sampler = new StatsSampler({ read: readStats, exists: ({ id }) => registry.tryFind(id) !== undefined });
  const parts: ContainerParts = { ...shared, supervisor, sampler, directory, runtimes: runtime.runtimes };
  const execs = new ExecService({ registry, events: journal, rootfs });
  keepNetworkFiles(networks, { registry, background });

  const containers: Containers = new ContainerService(parts);
  return {
    containers,
    execs,
    projectLogs: keptLogs,
    history: createProjectHistory(options.database),
    turns: new ProjectTurns(),
    snapshotsInUse() {
      return new Set(registry.all().flatMap(({ id, settings }) => [id, settings.parentSnapshot ?? id]));
    },
    hasSecrets: () => registry.all().some(({ settings }) => settings.secrets !== undefined),
    async reconcile() {
      await hostSources.reconcile();
      const toStart = await reconcile({ ...shared, runtime, networks, snapshots, volumes, supervisor, directory });
      await keptLogs.reconcile(registry.all());
      for (const container of registry.all()) await execs.adopt(container);
      for (const container of toStart) void supervisor.resume(container);
    },
    async shutdown() {
      supervisor.shutdown();
      shared.logShipper.shutdown();
      health.shutdown();
      sampler.shutdown();
      await background.settled();
      journal.flush();
    },
  };
}

/** Hosts and resolv.conf follow the networks while a container runs. */
function keepNetworkFiles(
  networks: NetworkService,
  { registry, background }: { registry: ContainerRegistry; background: BackgroundWork },
): void {
  networks.onChange((ownerId, sandbox) => {
    const container = registry.tryFind(ownerId);
    if (container?.task === undefined) return;
    container.sandbox = sandbox;
    const { hosts, resolvConf } = container.settings.paths;
    // In place: the container has the files themselves mounted.
    void background.run(`network files of container ${ownerId}`, () =>
      Promise.all([writeFile(hosts, sandbox.hostsFile), writeFile(resolvConf, sandbox.resolvConf)]),
    );
  });
}
