import type { Docker } from '#testkit';
import { Machine } from './machine.ts';
import { Probe } from './probe.ts';

/** Served, and published where a container publishes anything. */
const open = 8000;
/** Served and never published. */
const closed = 8001;
/** On the host, for containers to reach. */
const outside = 18_797;

const networks: Readonly<Record<string, readonly string[]>> = {
  one: ['--ipv6'],
  two: ['--ipv6'],
  four: [],
  shut: ['--internal', '--ipv6'],
  apart: ['--ipv6', '-o', 'com.docker.network.bridge.enable_icc=false'],
};

const publish = ['-p', `${open}/tcp`, '-p', `${open}/udp`];
const publishLoopback = ['127.0.0.1', '[::1]'].flatMap((host) =>
  ['tcp', 'udp'].flatMap((protocol) => ['-p', `${host}::${open}/${protocol}`]),
);

/** Container: network and options. The name's first part is the network. */
const containers: Readonly<Record<string, readonly string[]>> = {
  'one-a': publish,
  'one-b': [],
  'one-loop': publishLoopback,
  'two-a': [],
  'four-a': publish,
  'four-b': [],
  'shut-a': publish,
  'shut-b': [],
  'apart-a': publish,
  'apart-b': [],
  'default-a': publish,
  'default-b': [],
  'none-a': [],
};

type Protocol = 'tcp' | 'udp';
type Family = 'ipv4' | 'ipv6';
interface Place {
  readonly ipv4: string;
  readonly ipv6: string;
  /** Host ports, by protocol and host address. */
  readonly ports: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>;
}

/** Who asks whom. `direct`: the container's own address. The others: a published port at an address of the host. */
const questions: readonly (readonly [from: string, to: string, ways: readonly string[]])[] = [
  ['one-b', 'one-a', ['direct', 'closed', 'host', 'gateway']],
  ['one-a', 'one-a', ['direct', 'host', 'gateway']],
  ['two-a', 'one-a', ['direct', 'closed', 'host', 'gateway']],
  ['default-b', 'one-a', ['direct', 'host']],
  ['one-b', 'default-a', ['direct', 'host']],
  ['host', 'one-a', ['direct', 'closed', 'host', 'loopback', 'gateway']],
  ['lan', 'one-a', ['direct', 'closed', 'host', 'gateway']],
  ['host', 'one-loop', ['loopback', 'host']],
  ['lan', 'one-loop', ['host']],
  ['default-b', 'default-a', ['direct', 'host']],
  ['default-a', 'default-a', ['host']],
  ['host', 'default-a', ['direct', 'host', 'loopback']],
  ['lan', 'default-a', ['direct', 'host']],
  ['four-b', 'four-a', ['direct', 'host']],
  ['four-a', 'four-a', ['host']],
  ['host', 'four-a', ['direct', 'host', 'loopback']],
  ['lan', 'four-a', ['direct', 'host']],
  ['shut-b', 'shut-a', ['direct', 'closed']],
  ['one-b', 'shut-a', ['direct']],
  ['shut-a', 'one-a', ['direct', 'host']],
  ['host', 'shut-a', ['direct', 'loopback', 'host']],
  ['lan', 'shut-a', ['direct', 'host']],
  ['apart-b', 'apart-a', ['direct', 'host', 'gateway']],
  ['apart-a', 'apart-a', ['direct', 'host']],
  ['host', 'apart-a', ['direct', 'host']],
  ['lan', 'apart-a', ['host']],
  ['none-a', 'one-a', ['direct', 'host']],
  ...['one-a', 'default-a', 'four-a', 'shut-a', 'apart-a'].flatMap(
    (from) =>
      [
        [from, 'lan', ['direct']],
        [from, 'host', ['host', 'gateway']],
      ] as const,
  ),
];

/** A world of containers, a host and another machine, in which everybody asks everybody. */
export class World implements AsyncDisposable {
  readonly #docker: Docker;
  readonly #prefix: string;
  readonly #machine: Machine;
  readonly #probes = new Map<string, Probe>();
  readonly #places = new Map<string, Place>();
  readonly #gateways = new Map<string, Record<Family, string>>();

  private constructor(docker: Docker, prefix: string) {
    this.#docker = docker;
    this.#prefix = prefix;
    this.#machine = new Machine(`${prefix}lan`);
  }

  /** Makes networks and containers named `PREFIX...` on the engine. */
  static async create(docker: Docker, prefix: string): Promise<World> {
    const world = new World(docker, prefix);
    try {
      await world.#build();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** For every question, way, family and protocol: whom the server sees (`client`, `other`), or `-` when none answers. */
  async measure(): Promise<Record<string, string>> {
    const cells = questions.flatMap(([from, to, ways]) =>
      ways.flatMap((way) =>
        (['ipv4', 'ipv6'] as const).map((family) => ({
          name: `${from} > ${to} ${way} ${family}`,
          from,
          to,
          way,
          family,
        })),
      ),
    );
    const found = new Map<string, string>();
    const askFrom = async (who: string) => {
      for (const cell of cells) {
        if (cell.from !== who) continue;
        const said = await this.#ask(cell);
        if (said !== undefined) found.set(cell.name, said);
      }
    };
    await Promise.all([...this.#probes.keys()].map(askFrom));
    return Object.fromEntries(
      cells.flatMap(({ name }) => {
        const said = found.get(name);
        return said === undefined ? [] : [[name, said]];
      }),
    );
  }

  /** By TCP and UDP; one word where both agree. Undefined when there is nothing to ask. */
  async #ask(cell: { from: string; to: string; way: string; family: Family }): Promise<string | undefined> {
    const answers = await Promise.all(
      (['tcp', 'udp'] as const).map(async (protocol) => {
        const target = this.#target({ ...cell, protocol });
        if (target === undefined) return undefined;
        const said = await this.#probe(cell.from).ask(protocol, ...target);
        if (said === '') return '-';
        return said.replace(/^::ffff:/, '') === this.#address(cell.from, cell.family) ? 'client' : 'other';
      }),
    );
    return answers.includes(undefined) ? undefined : [...new Set(answers)].join(' ');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#probes.values()].map((probe) => probe[Symbol.asyncDispose]()));
    await this.#docker.try(['rm', '-f', ...Object.keys(containers).map((name) => this.#prefix + name)]);
    await this.#docker.try(['network', 'rm', ...Object.keys(networks).map((name) => this.#prefix + name)]);
    this.#machine[Symbol.dispose]();
  }

  async #build(): Promise<void> {
    for (const [name, options] of Object.entries(networks)) {
      await this.#docker.run('network', 'create', ...options, this.#prefix + name);
    }
    for (const [name, options] of Object.entries(containers)) {
      const part = name.split('-')[0] ?? '';
      const network = part === 'default' ? 'bridge' : part === 'none' ? 'none' : this.#prefix + part;
      const args = ['--name', this.#prefix + name, '--network', network, ...options];
      await this.#docker.run('run', '-d', '--rm', '--stop-signal', 'KILL', ...args, 'busybox', 'sleep', '3600');
      await this.#look(name, network);
    }
    this.#probes.set('host', new Probe());
    this.#probes.set('lan', new Probe(this.#machine.netns));
    for (const [name, probe] of this.#probes) {
      await (name === 'host' || name === 'lan' ? probe.serve(outside) : probe.serve(open, closed));
    }
  }

  async #look(name: string, network: string): Promise<void> {
    const [container] = JSON.parse(await this.#docker.run('inspect', this.#prefix + name)) as {
      State: { Pid: number };
      NetworkSettings: {
        Ports: Place['ports'];
        Networks: Record<string, { IPAddress: string; GlobalIPv6Address: string }>;
      };
    }[];
    const endpoint = container?.NetworkSettings.Networks[network];
    const ports = container?.NetworkSettings.Ports ?? {};
    this.#places.set(name, { ipv4: endpoint?.IPAddress ?? '', ipv6: endpoint?.GlobalIPv6Address ?? '', ports });
    this.#probes.set(name, new Probe(`/proc/${container?.State.Pid}/ns/net`));
    const part = name.split('-')[0] ?? '';
    if (this.#gateways.has(part)) return;
    const [{ IPAM } = { IPAM: { Config: null } }] = JSON.parse(
      await this.#docker.run('network', 'inspect', network),
    ) as {
      IPAM: { Config: { Gateway?: string; Subnet: string }[] | null };
    }[];
    const of = (v6: boolean) => IPAM.Config?.find(({ Subnet }) => Subnet.includes(':') === v6)?.Gateway ?? '';
    this.#gateways.set(part, { ipv4: of(false), ipv6: of(true).split('/')[0] ?? '' });
  }

  #probe(name: string): Probe {
    const probe = this.#probes.get(name);
    if (!probe) throw new Error(`nobody is called ${name}`);
    return probe;
  }

  /** Where to ask; undefined when there is no such address or port. */
  #target(cell: {
    from: string;
    to: string;
    way: string;
    family: Family;
    protocol: Protocol;
  }): [host: string, port: number] | undefined {
    const { from, to, way, family, protocol } = cell;
    const fixed: Readonly<Record<string, string>> = {
      host: this.#machine.host[family],
      loopback: family === 'ipv4' ? '127.0.0.1' : '::1',
      gateway: this.#gateways.get((to.includes('-') ? to : from).split('-')[0] ?? '')?.[family] ?? '',
    };
    const address =
      fixed[way] ?? (to === 'lan' ? this.#machine.addresses[family] : (this.#places.get(to)?.[family] ?? ''));
    if (address === '') return undefined;
    if (to === 'lan' || to === 'host') return [address, outside];
    if (way === 'direct') return [address, open];
    if (way === 'closed') return [address, closed];
    const binding = this.#places
      .get(to)
      ?.ports[`${open}/${protocol}`]?.find(({ HostIp }) => HostIp.includes(':') === (family === 'ipv6'));
    return binding === undefined ? undefined : [address, Number(binding.HostPort)];
  }

  #address(name: string, family: Family): string {
    if (name === 'lan') return this.#machine.addresses[family];
    return this.#places.get(name)?.[family] ?? '';
  }
}
