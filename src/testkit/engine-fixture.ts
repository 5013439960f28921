import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createArchiver } from '#archive';
import { createLogger, digestOf, notFound, parseDigest } from '#base';
import {
  type ContainerEngine,
  type ContainerRequest,
  createContainerEngine,
  createJournal,
  engineMigrations,
  type HostSettings,
  type Journal,
} from '#engine';
import {
  createConnections,
  createFirewall,
  createLinks,
  createMounts,
  createNetworkNamespaces,
  createProcesses,
  createSockets,
} from '#host';
import type { Image } from '#image';
import { type Database, openDatabase } from '#metadata';
import { createNetworkService, type NetworkService, networkMigrations } from '#network';
import type { ImageRunConfig } from '#oci';
import { createRuntime, readLog } from '#runtime';
import { createOverlaySnapshotter, type Snapshotter, snapshotMigrations } from '#snapshot';
import { createVolumeService, type VolumeService, volumeMigrations } from '#volume';
import { makeBusyboxRoot } from './busybox.ts';

/** Test files run side by side, each in a process of its own. */
const cgroup = `berth-engine-test-${process.pid}`;
const chain = parseDigest(`sha256:${'b'.repeat(64)}`);

/**
 * A container engine on real rooms below (runtime, snapshots, networks, volumes) with one image, `busybox`, whose run
 * configuration a test may set. Use in a file that called `enterPrivateMounts`. `restart` is a daemon's death and return.
 */
export class EngineFixture implements AsyncDisposable {
  readonly directory: string;
  /** What images of this fixture run by default. */
  config: ImageRunConfig = { Cmd: ['sh'], Env: ['PATH=/bin:/sbin'] };
  #parts: Parts;
  engine: ContainerEngine;

  private constructor(directory: string, parts: Parts) {
    this.directory = directory;
    this.#parts = parts;
    this.engine = this.#makeEngine();
  }

  get journal(): Journal {
    return this.#parts.journal;
  }

  get networks(): NetworkService {
    return this.#parts.networks;
  }

  get volumes(): VolumeService {
    return this.#parts.volumes;
  }

  static async create(): Promise<EngineFixture> {
    const directory = mkdtempSync('/tmp/berth-engine-');
    const parts = await openParts(directory);
    const fixture = new EngineFixture(directory, parts);
    await fixture.engine.reconcile();
    return fixture;
  }

  /** A new engine on the same records and kernel objects, as after a crash of the old one. */
  async restart(): Promise<void> {
    await this.engine.shutdown();
    await this.#parts.networks.shutdown();
    this.#parts = { ...this.#parts, networks: openNetworks(this.#parts.database, join(this.directory, 'run')) };
    this.engine = this.#makeEngine();
    await this.engine.reconcile();
  }

  /** A request for `args` in busybox with Docker's defaults; `host` replaces host settings. */
  request(
    args: readonly string[],
    changes: Partial<ContainerRequest> = {},
    host: Partial<HostSettings> = {},
  ): ContainerRequest {
    return { ...defaultRequest(args), ...changes, host: { ...defaultHost, ...host } };
  }

  /** Creates and starts; returns the id. */
  async run(request: ContainerRequest): Promise<string> {
    const { id } = await this.engine.containers.create(request);
    await this.engine.containers.start(id);
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { containers } = this.engine;
    for (const { id } of await containers.list({ all: true })) {
      await containers.remove(id, { force: true, volumes: true, link: false });
    }
    await this.engine.shutdown();
    await this.#parts.networks.shutdown();
    this.#parts.journal.close();
    this.#parts.database.close();
    rmSync(this.directory, { recursive: true, force: true });
    removeCgroups();
  }

  #makeEngine(): ContainerEngine {
    const get = async (name: string): Promise<Image> => {
      if (name === 'busybox' || name === this.#image().id) return this.#image();
      throw notFound(`No such image: ${name}`);
    };
    const unsupported = () => Promise.reject(new Error('this fixture makes no images'));
    return createContainerEngine({
      ...this.#parts,
      images: {
        get,
        list: async () => [this.#image()],
        sharedSizes: async () => new Map(),
        history: async () => [],
        unpack: async () => chain,
        holding: (body) => body(),
        commitLayer: unsupported,
        create: unsupported,
      },
      readLog,
      trees: createArchiver(),
      logger: createLogger('warn', (line) => process.stderr.write(line)),
      dataRoot: join(this.directory, 'data'),
      execRoot: join(this.directory, 'run'),
      cgroupParent: `/${cgroup}`,
    });
  }

  #image(): Image {
    return {
      id: digestOf('busybox'),
      manifestDigest: digestOf('manifest'),
      config: {
        architecture: 'amd64',
        os: 'linux',
        config: this.config,
        rootfs: { type: 'layers', diff_ids: [chain] },
      },
      layers: [],
      tags: ['docker.io/library/busybox:latest'],
      repoDigests: [],
      size: 1_000_000,
      parent: undefined,
      lastTaggedAt: 0,
    };
  }
}

/** The kernel removes a cgroup only by rmdir, and only when nothing is in it. */
function removeCgroups(): void {
  const hierarchies = readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name));
  for (const hierarchy of ['/sys/fs/cgroup', ...hierarchies]) {
    const path = join(hierarchy, cgroup);
    if (!existsSync(path)) continue;
    // crun writes below an unmounted unified hierarchy as well, where its directory is a plain one.
    if (hierarchy.endsWith('/unified')) rmSync(path, { recursive: true });
    else rmdirSync(path);
  }
}

interface Parts {
  readonly database: Database;
  readonly journal: Journal;
  readonly networks: NetworkService;
  readonly volumes: VolumeService;
  readonly snapshots: Snapshotter;
  readonly runtime: Awaited<ReturnType<typeof createRuntime>>;
  readonly mounts: ReturnType<typeof createMounts>;
  readonly processes: ReturnType<typeof createProcesses>;
}

async function openParts(directory: string): Promise<Parts> {
  const processes = createProcesses();
  const mounts = createMounts();
  const log = createLogger('warn', (line) => process.stderr.write(line));
  const execRoot = join(directory, 'run');
  mkdirSync(execRoot);
  const database = openDatabase(join(directory, 'berth.db'), [
    ...engineMigrations,
    ...networkMigrations,
    ...snapshotMigrations,
    ...volumeMigrations,
  ]);
  const snapshots = await createOverlaySnapshotter({ database, root: join(directory, 'snapshots'), mounts, processes });
  await snapshots.prepare('base');
  makeBusyboxRoot(await snapshots.directory('base'));
  await snapshots.commit(chain, 'base');
  return {
    database,
    journal: createJournal({ database }),
    networks: openNetworks(database, execRoot),
    volumes: createVolumeService({
      database,
      root: join(directory, 'volumes'),
      mounts,
      processes,
      trees: createArchiver(),
    }),
    snapshots,
    runtime: await createRuntime({ execRoot, processes, logger: log }),
    mounts,
    processes,
  };
}

function openNetworks(database: Database, execRoot: string): NetworkService {
  const namespaces = createNetworkNamespaces();
  return createNetworkService({
    database,
    namespaces,
    links: createLinks(namespaces),
    firewall: createFirewall(namespaces),
    connections: createConnections(),
    sockets: createSockets(),
    execRoot,
    instance: `engine-test-${process.pid}`,
    bridge: `engt${process.pid}`,
    poolSize: 2,
    log: createLogger('warn', (line) => process.stderr.write(line)),
  });
}

/** A request for a container of `busybox` that runs `args`, its output attached; the host's part is the caller's. */
export function defaultRequest(args: readonly string[]): Omit<ContainerRequest, 'host'> {
  return {
    image: 'busybox',
    hostname: '',
    domainname: '',
    process: {
      entrypoint: undefined,
      cmd: args,
      env: [],
      workingDir: '',
      user: '',
      tty: false,
      openStdin: false,
      stdinOnce: false,
      attachStdin: false,
      attachStdout: true,
      attachStderr: true,
      stopSignal: '',
    },
    labels: {},
    exposedPorts: [],
    volumes: [],
    networkDisabled: false,
    endpoints: {},
  };
}

/** What a client asks of the host where nobody gave a flag: the default network, no limits. */
export const defaultHost: HostSettings = {
  mounts: [],
  volumesFrom: [],
  volumeDriver: '',
  networkMode: 'default',
  ports: [],
  publishAllPorts: false,
  restart: { name: 'no', maximumRetryCount: 0 },
  autoRemove: false,
  log: { driver: 'json-file', options: {} },
  capAdd: [],
  capDrop: [],
  privileged: false,
  readonlyRootfs: false,
  securityOpt: [],
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  extraHosts: [],
  groupAdd: [],
  links: [],
  ipcMode: '',
  pidMode: '',
  utsMode: '',
  usernsMode: '',
  cgroupnsMode: '',
  cgroupParent: '',
  oomScoreAdj: 0,
  shmSize: 0,
  sysctls: {},
  tmpfs: {},
  devices: [],
  deviceCgroupRules: [],
  deviceRequests: [],
  storageOpt: {},
  runtime: '',
  init: undefined,
  containerIdFile: '',
  consoleSize: [0, 0],
  annotations: {},
  resources: {},
};
