import { writeFileSync } from 'node:fs';
import { BerthError, conflict, invalid, isBerthError, KeyedLock, messageOf, newId, notFound, withUndo } from '#base';
import type { Links, NetworkNamespaces } from '#host';
import type { Database } from '#metadata';
import { atHostBinding } from './bridge-driver.ts';
import { setDefaultRoutes } from './default-routes.ts';
import type { NameService } from './dns/name-service.ts';
import { checkEndpoint, checkPlaces, checkTogether, planEndpoint, type ResolvedEndpoint } from './endpoint-plan.ts';
import { throughGateway } from './gateway-mode.ts';
import type { Ipam } from './ipam.ts';
import type {
  EndpointRequest,
  Network,
  PortBinding,
  PortRequest,
  Sandbox,
  SandboxRequest,
  TakeOver,
} from './network.ts';
import type { NetworkCatalog } from './network-catalog.ts';
import type { PacketRules } from './packet-rules.ts';
import { type PublishedPorts, portRules } from './published-ports.ts';
import { type HostFiles, hasInternalDns, sandboxFiles } from './sandbox-files.ts';
import { newHostLink, type ReadySandbox, type SandboxPool } from './sandbox-pool.ts';
import { type EndpointRecord, renamed, type SandboxRecord, type SandboxRecords } from './sandbox-records.ts';
import type { SandboxRemoval } from './sandbox-removal.ts';
import { attachment, portTargets, publishingEndpoint } from './sandbox-wiring.ts';

/** What the manager works with. */
export interface SandboxManagerOptions {
  readonly database: Database;
  readonly namespaces: NetworkNamespaces;
  readonly links: Links;
  readonly ipam: Ipam;
  readonly catalog: NetworkCatalog;
  readonly records: SandboxRecords;
  readonly pool: SandboxPool;
  readonly removal: SandboxRemoval;
  readonly ports: PublishedPorts;
  readonly rules: PacketRules;
  readonly names: NameService;
  readonly hostFiles: HostFiles;
}

type Listener = (ownerId: string, sandbox: Sandbox) => void;

/**
 * Opens, changes and closes sandboxes. A sandbox is recorded, with all its addresses and ports, before the kernel hears of
 * it, and forgotten after the kernel has let go of it: so a record covers everything that may be there.
 */
export class SandboxManager {
  readonly #options: SandboxManagerOptions;
  readonly #lock = new KeyedLock();
  readonly #listeners: Listener[] = [];

  constructor(options: SandboxManagerOptions) {
    this.#options = options;
  }

  /** Throws what {@link SandboxManager.open} would of these requests alone. Networks that are not there are left out. */
  check(requests: readonly EndpointRequest[]): void {
    const known = requests.filter(({ network }) => this.#options.catalog.has(network));
    for (const request of known) {
      try {
        this.#resolve(request);
      } catch (error) {
        const { name } = this.#options.catalog.get(request.network);
        throw invalid(`invalid config for network ${name}: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  open(request: SandboxRequest): Promise<Sandbox> {
    return this.#lock.run(request.owner.id, () => this.#open(request));
  }

  takeOver(ownerId: string, options: TakeOver): Promise<void> {
    // Both are locked, always in the same order.
    const [first = '', second = ''] = [ownerId, options.from].sort();
    return this.#lock.run(first, () => this.#lock.run(second, () => this.#takeOver(ownerId, options)));
  }

  async find(ownerId: string): Promise<Sandbox | undefined> {
    const record = this.#options.records.get(ownerId);
    return record && this.#sandbox(record);
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  close(ownerId: string): Promise<void> {
    return this.#lock.run(ownerId, async () => {
      const record = this.#options.records.get(ownerId);
      if (record) await this.#options.removal.leave(record);
    });
  }

  connect(ownerId: string, request: EndpointRequest): Promise<Sandbox> {
    return this.#lock.run(ownerId, async () => {
      const before = this.#get(ownerId);
      const resolved = this.#resolve(request);
      if (before.netns === '') {
        throw invalid(
          'container sharing network namespace with another container or host cannot be connected to any other network',
        );
      }
      if (before.endpoints.some(({ endpoint }) => endpoint.networkId === resolved.network.id)) {
        throw conflict(`endpoint with name ${before.owner.name} already exists in network ${resolved.network.name}`);
      }
      checkTogether([...before.endpoints.map((record) => this.#resolve(record.request)), resolved]);
      checkPlaces([resolved]);
      const added = await withUndo(async (undo) => {
        const { record, endpoint } = await this.#record(() => this.#addEndpoint(before, resolved));
        undo.push(() => this.#dropEndpoint(before, resolved.network.id));
        await resolved.driver.attach(resolved.network, attachment(record, endpoint, { ready: false }));
        undo.push(() => resolved.driver.detach(attachment(record, endpoint, { ready: false })));
        await this.#afterChange(before, record);
        return record;
      });
      return this.#announce(added);
    });
  }

  disconnect(ownerId: string, name: string): Promise<Sandbox> {
    return this.#lock.run(ownerId, async () => {
      const before = this.#get(ownerId);
      const network = this.#options.catalog.get(name);
      const gone = before.endpoints.find(({ endpoint }) => endpoint.networkId === network.id);
      if (!gone) throw forbiddenDisconnect(ownerId, network.name);
      const driver = this.#options.catalog.driver(network.driver);
      const record = { ...before, endpoints: before.endpoints.filter((endpoint) => endpoint !== gone) };
      await driver.detach(attachment(before, gone, { ready: false }));
      this.#options.database.transaction(() => {
        this.#options.ipam.release(ownerId, network.id);
        this.#options.records.put(record);
      });
      await this.#afterChange(before, record);
      return this.#announce(record);
    });
  }

  rename(ownerId: string, name: string): Promise<void> {
    return this.#lock.run(ownerId, async () => {
      const before = this.#options.records.get(ownerId);
      if (!before) return;
      const record = renamed(before, name);
      this.#options.records.put(record);
      this.#announce(record);
    });
  }

  /** Brings a recorded, running sandbox back to life after a restart: port sockets and DNS. Returns its ports' rules. */
  async resume(record: SandboxRecord): Promise<PortBinding[]> {
    const lost = this.#options.ports.resume(record.owner, record.ports, portTargets(record));
    if (hasInternalDns(record)) await this.#options.names.start(record);
    return lost;
  }

  async #open(request: SandboxRequest): Promise<Sandbox> {
    const { owner } = request;
    const { pool, removal, records, names } = this.#options;
    await removal.finished(owner.id);
    if (records.get(owner.id)) throw conflict(`container ${owner.name} already has a network sandbox`);
    const resolved = request.endpoints.map((endpoint) => this.#resolve(endpoint));
    checkPlaces(resolved);
    checkTogether(resolved);
    checkSysctls(request.sysctls ?? {});
    const shared = resolved.some(({ driver }) => driver.shares === 'host');
    const first = resolved.find(({ driver }) => driver.bridged);
    const ready: ReadySandbox = shared
      ? { id: newId(), netns: '', hostLink: '' }
      : first
        ? await pool.take({ names: resolved.some(isNamed) })
        : await pool.make({ link: false });
    const record = await withUndo(async (undo) => {
      if (!shared) undo.push(() => pool.discard(ready));
      if (ready.names) names.adopt(owner.id, ready.names);
      undo.push(() => names.stop(owner.id));
      const planned = await this.#record(() => this.#plan(request, resolved, ready));
      undo.push(async () => {
        await removal.leave(planned);
        await removal.finished(owner.id);
      });
      await this.#attachAll(planned, { ready, request });
      return planned;
    });
    return this.#sandbox(record);
  }

  /** Records a plan in one transaction; when it fails, once more after leaving sandboxes have given back what they held. */
  async #record<T>(plan: () => T): Promise<T> {
    const { database, removal } = this.#options;
    try {
      return database.transaction(plan);
    } catch (error) {
      if (!(await removal.settle())) throw error;
      return database.transaction(plan);
    }
  }

  #plan(request: SandboxRequest, resolved: readonly ResolvedEndpoint[], ready: ReadySandbox): SandboxRecord {
    const { ipam, records, ports, catalog } = this.#options;
    let next = 0;
    const pooled = resolved.find(({ driver }) => driver.bridged);
    const endpoints = resolved.map((endpoint) => {
      const fromPool = endpoint === pooled;
      return planEndpoint(endpoint, {
        owner: request.owner,
        ipam,
        interfaceName: endpoint.driver.addressed ? `eth${next++}` : '',
        hostLink: fromPool ? ready.hostLink : newHostLink(),
      });
    });
    const draft: SandboxRecord = {
      id: ready.id,
      owner: request.owner,
      netns: ready.netns,
      endpoints,
      ports: [],
      dns: request.dns,
      extraHosts: request.extraHosts,
    };
    const network = publishingEndpoint(draft)?.networkId;
    const wanted = network === undefined ? request.ports : publishedBy(catalog.get(network), request.ports);
    const record = request.standby
      ? { ...draft, standby: true, awaited: wanted }
      : { ...draft, ports: this.#holdPorts(draft, wanted) };
    try {
      records.put(record);
    } catch (error) {
      ports.release(request.owner.id);
      throw error;
    }
    return record;
  }

  #holdPorts(record: SandboxRecord, requests: readonly PortRequest[]): readonly PortBinding[] {
    const endpoint = publishingEndpoint(record);
    if (requests.length === 0 || !endpoint) return [];
    try {
      return this.#options.ports.hold(record.owner, requests, portTargets(record)).bindings;
    } catch (error) {
      if (!isBerthError(error)) throw error;
      const text = `driver failed programming external connectivity on endpoint ${record.owner.name} (${endpoint.id})`;
      throw new BerthError(error.kind, `${text}: ${error.message}`, { cause: error, details: error.details });
    }
  }

  async #takeOver(ownerId: string, { from, names, record, unrecord }: TakeOver): Promise<void> {
    const { ports, rules, database, records } = this.#options;
    const [heir, holder] = [this.#get(ownerId), this.#get(from)];
    if (heir.standby !== true) throw conflict(`container ${heir.owner.name} does not stand by to take over`);
    const targets = { old: portTargets(holder), new: portTargets(heir) };
    const [now, left] = await withUndo(async (undo) => {
      const move = ports.handOver({ from, to: heir.owner }, heir.awaited ?? [], targets);
      undo.push(async () => move.undo());
      const { standby: _, awaited: __, ...serving } = heir;
      const heirNow = renamed({ ...serving, ports: move.bindings }, names.owner);
      const kept = holder.ports.filter((binding) => !move.gone.includes(binding));
      const holderNow = renamed({ ...holder, ports: kept, standby: true }, names.from);
      database.transaction(() => {
        record();
        records.put(heirNow);
        records.put(holderNow);
      });
      undo.push(async () =>
        database.transaction(() => {
          unrecord();
          records.put(heir);
          records.put(holder);
        }),
      );
      await rules.movePorts(portRules(move.gone, targets.old), portRules(move.bindings, targets.new));
      return [heirNow, holderNow] as const;
    });
    this.#announce(now);
    this.#announce(left);
  }

  async #attachAll(record: SandboxRecord, made: { ready: ReadySandbox; request: SandboxRequest }): Promise<void> {
    const { catalog, rules, namespaces, names } = this.#options;
    for (const endpoint of record.endpoints) {
      const network = catalog.get(endpoint.endpoint.networkId);
      const driver = catalog.driver(network.driver);
      const ready = endpoint.hostLink === made.ready.hostLink;
      await driver.attach(network, attachment(record, endpoint, { ready }));
    }
    await setDefaultRoutes(this.#options, record, { replace: false });
    const sysctls = Object.entries(made.request.sysctls ?? {}).filter(([key]) => key.startsWith('net.'));
    if (sysctls.length > 0 && record.netns !== '') {
      namespaces.enter(record.netns, () => {
        for (const [key, value] of sysctls) setSysctl(key, value);
      });
    }
    if (hasInternalDns(record)) await names.start(record);
    await rules.addPorts(portRules(record.ports, portTargets(record)));
  }

  #addEndpoint(before: SandboxRecord, resolved: ResolvedEndpoint): { record: SandboxRecord; endpoint: EndpointRecord } {
    const { ipam, records } = this.#options;
    const endpoint = planEndpoint(resolved, {
      owner: before.owner,
      ipam,
      interfaceName: freeInterface(before),
      hostLink: newHostLink(),
    });
    const record = { ...before, endpoints: [...before.endpoints, endpoint] };
    records.put(record);
    return { record, endpoint };
  }

  #dropEndpoint(before: SandboxRecord, networkId: string): void {
    this.#options.database.transaction(() => {
      this.#options.ipam.release(before.owner.id, networkId);
      this.#options.records.put(before);
    });
  }

  /** After networks came or went: default routes, published ports and DNS follow. */
  async #afterChange(before: SandboxRecord, after: SandboxRecord): Promise<void> {
    const { rules, names } = this.#options;
    await setDefaultRoutes(this.#options, after, { replace: true });
    const [old, now] = [portTargets(before), portTargets(after)];
    if (old.ipv4 !== now.ipv4 || old.ipv6 !== now.ipv6) {
      await rules.removePorts(portRules(before.ports, old));
      await rules.addPorts(portRules(after.ports, now));
      this.#options.ports.release(after.owner.id);
      this.#options.ports.resume(after.owner, after.ports, now);
    }
    if (hasInternalDns(after) && !hasInternalDns(before)) await names.start(after);
    if (!hasInternalDns(after)) names.stop(after.owner.id);
  }

  #resolve(request: EndpointRequest): ResolvedEndpoint {
    const { catalog } = this.#options;
    const network = catalog.get(request.network);
    const resolved = { request, network, driver: catalog.driver(network.driver) };
    checkEndpoint(resolved, catalog.hasUserSubnet(network));
    return resolved;
  }

  #get(ownerId: string): SandboxRecord {
    const record = this.#options.records.get(ownerId);
    if (!record) throw notFound(`container ${ownerId} has no open network sandbox`);
    return record;
  }

  #announce(record: SandboxRecord): Sandbox {
    const sandbox = this.#sandbox(record);
    for (const listener of this.#listeners) listener(record.owner.id, sandbox);
    return sandbox;
  }

  #sandbox(record: SandboxRecord): Sandbox {
    const { records, hostFiles, catalog } = this.#options;
    const bridge = catalog.all().find((network) => network.name === 'bridge');
    const gateway = bridge?.ipam.pools[0]?.gateway;
    return {
      id: record.id,
      netnsPath: record.netns,
      endpoints: record.endpoints.map(({ endpoint }) => endpoint),
      ports: record.ports,
      ...sandboxFiles(record, records, { files: hostFiles, gateway }),
    };
  }
}

/** Ports as the network of a sandbox publishes them. */
function publishedBy(network: Network, requests: readonly PortRequest[]): readonly PortRequest[] {
  return throughGateway(network, atHostBinding(network, requests));
}

/** On a user-defined network, whose names our DNS answers. */
function isNamed({ driver, network }: ResolvedEndpoint): boolean {
  return driver.bridged && network.name !== 'bridge';
}

/** The lowest name that no endpoint has, as Docker gives them. */
function freeInterface(record: SandboxRecord): string {
  const taken = new Set(record.endpoints.map(({ endpoint }) => endpoint.interfaceName));
  let number = 0;
  while (taken.has(`eth${number}`)) number++;
  return `eth${number}`;
}

function checkSysctls(sysctls: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(sysctls)) {
    if (!/^[\w.-]+(\/[\w.-]+)*$/.test(key) || key.includes('..')) throw invalid(`invalid sysctl ${key}`);
  }
}

function setSysctl(key: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${key.replaceAll('.', '/')}`, value);
  } catch (error) {
    throw invalid(`sysctl ${key}=${value}: the kernel refuses it`, { cause: error });
  }
}

function forbiddenDisconnect(ownerId: string, network: string): Error {
  return conflict(`container ${ownerId} is not connected to network ${network}`);
}
