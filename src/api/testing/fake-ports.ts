import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notFound, silentLogger } from '#base';
import { ProjectTurns, type Session } from '#engine';
import type { OutputChunk } from '#runtime';
import { type ApiOptions, createApiServer } from '../api-server.ts';
import type { ApiPorts, EngineFacts } from '../ports.ts';
import { sampleContainer } from './sample-container.ts';

/** Ports of which a test gives only the methods it needs; any other call fails with its name. */
export type PartialPorts = { [Port in keyof ApiPorts]?: Partial<ApiPorts[Port]> };

function failing<T extends object>(port: string, given: Partial<T> | undefined, defaults: Partial<T>): T {
  return new Proxy({ ...defaults, ...given } as T, {
    get(target, name, receiver) {
      if (Reflect.has(target, name)) return Reflect.get(target, name, receiver);
      return () => {
        throw new Error(`the fake has no ${port}.${String(name)}`);
      };
    },
  });
}

/** Facts of an engine that exists only in tests. */
const sampleFacts: EngineFacts = {
  id: 'fake',
  version: '0.1.0',
  gitCommit: 'abcdef',
  buildTime: '2026-11-21T00:00:00.000000000+00:00',
  components: [{ name: 'crun', version: '1.8.1', details: { GitCommit: 'f' } }],
  hostname: 'vm',
  kernelVersion: '6.18.44',
  operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  osVersion: '12',
  machine: 'x86_64',
  architecture: 'amd64',
  cpus: 2,
  memoryBytes: 25276502016,
  dataRoot: '/var/lib/berth',
  storage: { driver: 'overlay2', status: [['Backing Filesystem', 'extfs']] },
  cgroup: { driver: 'cgroupfs', version: '1' },
  limits: {
    memory: true,
    swap: true,
    cpuPeriod: true,
    cpuQuota: true,
    cpuShares: true,
    cpuSet: true,
    pids: true,
    oomKillDisable: true,
  },
  ipv4Forwarding: true,
  runtimes: [{ name: 'crun', path: '/usr/bin/crun' }],
  defaultRuntime: 'crun',
  drivers: { volume: ['local'], network: ['bridge', 'host', 'null'], log: ['json-file', 'none'] },
  defaultLogDriver: 'json-file',
  cdiDirectories: ['/etc/cdi'],
  securityOptions: ['name=seccomp,profile=builtin'],
  labels: [],
  registry: { mirrors: [], insecure: [] },
  addressPools: [],
  debug: false,
  experimental: false,
  initBinary: '',
  openFiles: 20,
  eventListeners: 0,
  warnings: [],
};

/** All ports, with one running container and no images unless the test says otherwise. */
function fakePorts(given: PartialPorts): ApiPorts {
  const container = sampleContainer();
  const find = (name: string) => {
    if (name === container.name || container.id.startsWith(name)) return container;
    throw notFound(`No such container: ${name}`);
  };
  return {
    containers: failing<ApiPorts['containers']>('containers', given.containers, {
      get: async (name) => find(name),
      list: async () => [container],
      counts: () => ({ created: 0, running: 1, paused: 0, restarting: 0, removing: 0, exited: 2, dead: 0 }),
    }),
    execs: failing<ApiPorts['execs']>('execs', given.execs, {}),
    events: failing<ApiPorts['events']>('events', given.events, { publish: () => undefined }),
    images: failing<ApiPorts['images']>('images', given.images, {
      list: async () => [],
      keptVersions: async () => new Set(),
    }),
    turns: new ProjectTurns(),
    history: failing<ApiPorts['history']>('history', given.history, { keptImages: async () => new Set() }),
    projectLogs: failing<ApiPorts['projectLogs']>('projectLogs', given.projectLogs, {}),
    networks: failing<ApiPorts['networks']>('networks', given.networks, { list: async () => [] }),
    volumes: failing<ApiPorts['volumes']>('volumes', given.volumes, { list: async () => [] }),
    builder: failing<ApiPorts['builder']>('builder', given.builder, {}),
    system: failing<ApiPorts['system']>('system', given.system, {
      facts: async () => sampleFacts,
      layersSize: async () => 0,
      greeted: () => undefined,
      whyNoCheckpoints: async () => 'it is a fake',
    }),
    bootstrap: failing<NonNullable<ApiPorts['bootstrap']>>('bootstrap', given.bootstrap, {}),
  };
}

/** A server on a unix socket of its own; closing it removes the socket's directory. */
export async function startTestServer(given: PartialPorts = {}, options: Partial<ApiOptions> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'api-'));
  const path = join(directory, 'api.sock');
  const server = await createApiServer(fakePorts(given), { log: silentLogger, version: '0.1.0', ...options });
  await server.listen({ kind: 'unix', path });
  return {
    server,
    path,
    host: `unix://${path}`,
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An attachment that says what it is told to and remembers what it gets; `cat` answers with its input. */
export class FakeAttachment implements Session {
  readonly input: Buffer[] = [];
  readonly output: AsyncIterable<OutputChunk>;
  closed = false;
  detached = false;
  readonly #queue: (OutputChunk | undefined)[] = [];
  #wake: () => void = () => undefined;
  readonly #echo: boolean;

  constructor(chunks: readonly OutputChunk[], options: { cat?: boolean } = {}) {
    this.#echo = options.cat ?? false;
    this.#queue.push(...chunks);
    if (!this.#echo) this.#queue.push(undefined);
    this.output = this.#read();
  }

  async write(data: Uint8Array): Promise<void> {
    this.input.push(Buffer.from(data));
    if (this.#echo) this.#push({ stream: 'stdout', data: Buffer.from(data) });
  }

  endInput(): void {
    if (this.#echo) this.#push(undefined);
  }

  detach(): void {
    this.detached = true;
    this.close();
  }

  close(): void {
    this.closed = true;
    this.#push(undefined);
  }

  #push(chunk: OutputChunk | undefined): void {
    this.#queue.push(chunk);
    this.#wake();
  }

  async *#read(): AsyncGenerator<OutputChunk> {
    for (;;) {
      if (this.#queue.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      const chunk = this.#queue.shift();
      if (chunk === undefined) return;
      yield chunk;
    }
  }
}
