import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { type Logger, messageOf } from '#base';
import type { Firewall, NetworkNamespaces, Sockets } from '#host';
import { forwardServers } from '../files.ts';
import { type HostFiles, hostResolvSettings } from '../sandbox-files.ts';
import type { SandboxRecord, SandboxRecords } from '../sandbox-records.ts';
import { answerQuery, fitUdp, parseQuery, type Query, serverFailure } from './answers.ts';
import { FrameReader, forwardQuery, frame } from './forwarder.ts';

/** Our table in a sandbox's namespace. */
const TABLE = 'berth_dns';
/** Where containers ask; what resolv.conf names. */
const ADDRESS = '127.0.0.11';
/** Queries of one sandbox that may wait for servers outside at a time; more are refused. */
const MAX_WAITING = 1024;
/** A TCP client is dropped after this silence, in ms. */
const TCP_IDLE = 10_000;

/** What the name service works with. */
export interface NameServiceOptions {
  readonly records: SandboxRecords;
  readonly namespaces: NetworkNamespaces;
  readonly sockets: Sockets;
  readonly firewall: Firewall;
  readonly hostFiles: HostFiles;
  /** True when the sandbox may reach servers outside: it sits on a network that is not internal. */
  readonly mayForward: (record: SandboxRecord) => boolean;
  readonly log: Logger;
}

/** Sockets inside a sandbox, redirected to and not yet served. */
export interface PreparedNames {
  readonly udpFd: number;
  readonly tcpFd: number;
  /** Gives the sockets up, where nobody serves them. */
  close(): void;
}

interface Listener {
  readonly udp: UdpSocket;
  readonly tcp: Server;
  readonly clients: Set<Socket>;
  readonly stop: AbortController;
  waiting: number;
}

/**
 * DNS for sandboxes on user-defined networks. The sockets live inside the sandbox's namespace, this process serves them: no
 * process per container. They sit on ports that the kernel chose, and a rule in the namespace sends 127.0.0.11:53
 * there, so that port 53 stays free for the container.
 */
export class NameService {
  readonly #options: NameServiceOptions;
  readonly #listeners = new Map<string, Listener>();
  /** Adopted and not yet served, by owner. */
  readonly #prepared = new Map<string, PreparedNames>();

  constructor(options: NameServiceOptions) {
    this.#options = options;
  }

  /** Takes over sockets prepared for a sandbox; {@link NameService.start} serves them, {@link NameService.stop} closes. */
  adopt(ownerId: string, prepared: PreparedNames): void {
    this.#prepared.set(ownerId, prepared);
  }

  /** Begins to answer inside a sandbox, on adopted sockets or on new ones. Harmless when repeated. */
  async start(record: SandboxRecord): Promise<void> {
    const ownerId = record.owner.id;
    if (this.#listeners.has(ownerId)) return;
    const { udpFd, tcpFd } = this.#prepared.get(ownerId) ?? (await this.prepare(record.netns, { fresh: false }));
    this.#prepared.delete(ownerId);
    this.#listeners.set(ownerId, this.#serve(ownerId, udpFd, tcpFd));
  }

  /** The slow half of {@link NameService.start}: the first NAT rule of a namespace takes the kernel 15 ms. */
  async prepare(netns: string, { fresh = true } = {}): Promise<PreparedNames> {
    const { namespaces, sockets, firewall } = this.#options;
    const before = fresh ? {} : redirectedPorts(await firewall.table('ip', TABLE, netns));
    const bind = (protocol: 'udp' | 'tcp', port = 0) => {
      try {
        return sockets.bind({ protocol, address: ADDRESS, port });
      } catch (error) {
        if (port === 0) throw error;
        return sockets.bind({ protocol, address: ADDRESS, port: 0 });
      }
    };
    const bound = namespaces.enter(netns, () => {
      const udp = bind('udp', before.udp);
      try {
        return { udp, tcp: bind('tcp', before.tcp) };
      } catch (error) {
        sockets.close(udp.fd);
        throw error;
      }
    });
    const close = () => {
      sockets.close(bound.udp.fd);
      sockets.close(bound.tcp.fd);
    };
    try {
      await firewall.load(redirectRules(bound.udp.port, bound.tcp.port), netns);
    } catch (error) {
      close();
      throw error;
    }
    return { udpFd: bound.udp.fd, tcpFd: bound.tcp.fd, close };
  }

  /** Stops answering. Harmless when repeated. */
  stop(ownerId: string): void {
    this.#prepared.get(ownerId)?.close();
    this.#prepared.delete(ownerId);
    const listener = this.#listeners.get(ownerId);
    if (!listener) return;
    this.#listeners.delete(ownerId);
    listener.stop.abort();
    listener.udp.close();
    listener.tcp.close();
    for (const client of listener.clients) client.destroy();
  }

  /** Stops answering everywhere. */
  close(): void {
    for (const ownerId of [...this.#listeners.keys()]) this.stop(ownerId);
  }

  #serve(ownerId: string, udpFd: number, tcpFd: number): Listener {
    const udp = createSocket('udp4');
    const tcp = createServer({ allowHalfOpen: true });
    const listener: Listener = { udp, tcp, clients: new Set(), stop: new AbortController(), waiting: 0 };
    const complain = (error: unknown) =>
      this.#options.log.warn('DNS socket failed', { container: ownerId, error: messageOf(error) });
    udp.on('error', complain);
    tcp.on('error', complain);
    udp.on('message', (message, from) => void this.#answerUdp(ownerId, listener, { message, from }));
    tcp.on('connection', (client) => this.#serveTcp(ownerId, listener, client));
    udp.bind({ fd: udpFd });
    tcp.listen({ fd: tcpFd });
    udp.unref();
    tcp.unref();
    return listener;
  }

  async #answerUdp(ownerId: string, listener: Listener, query: { message: Buffer; from: RemoteInfo }): Promise<void> {
    const parsed = parseQuery(query.message);
    if (!parsed) return;
    const answer = await this.#resolve(ownerId, listener, { query: parsed, over: 'udp' });
    if (listener.stop.signal.aborted) return;
    listener.udp.send(fitUdp(answer, parsed), query.from.port, query.from.address);
  }

  #serveTcp(ownerId: string, listener: Listener, client: Socket): void {
    const frames = new FrameReader();
    listener.clients.add(client);
    client.setTimeout(TCP_IDLE, () => client.destroy());
    client.on('error', () => client.destroy());
    client.on('close', () => listener.clients.delete(client));
    client.on('end', () => client.end());
    client.on('data', (chunk) => {
      for (const message of frames.push(chunk)) {
        const parsed = parseQuery(message);
        if (!parsed) {
          client.destroy();
          return;
        }
        void this.#resolve(ownerId, listener, { query: parsed, over: 'tcp' }).then((answer) => {
          if (client.writable) client.write(frame(answer));
        });
      }
    });
  }

  async #resolve(
    ownerId: string,
    listener: Listener,
    { query, over }: { query: Query; over: 'udp' | 'tcp' },
  ): Promise<Buffer> {
    const { records, hostFiles, mayForward } = this.#options;
    const record = records.get(ownerId);
    if (!record) return serverFailure(query);
    const own = answerQuery(query, record, records);
    if (own) return own;
    if (!mayForward(record) || listener.waiting >= MAX_WAITING) return serverFailure(query);
    listener.waiting++;
    try {
      const servers = forwardServers(hostResolvSettings(hostFiles), record.dns).map((server) => server.address);
      const answer = await forwardQuery(query.raw, servers, { over, signal: listener.stop.signal });
      return answer ?? serverFailure(query);
    } finally {
      listener.waiting--;
    }
  }
}

/** The ports of a killed daemon's sockets: the kernel keeps sending there what belongs to lookups that have begun. */
function redirectedPorts(rules: string | undefined): { udp?: number; tcp?: number } {
  const port = (protocol: string) => rules?.match(new RegExp(`${protocol} dport 53 dnat to [\\d.]+:(\\d+)`))?.[1];
  const [udp, tcp] = [port('udp'), port('tcp')];
  return { ...(udp === undefined ? {} : { udp: Number(udp) }), ...(tcp === undefined ? {} : { tcp: Number(tcp) }) };
}

/**
 * The redirection, and silence where nobody listens: while a daemon restarts its clients hear no refusal, so they ask
 * again after their usual wait, and are answered.
 */
function redirectRules(udpPort: number, tcpPort: number): string {
  return [
    `table ip ${TABLE} {}`,
    `delete table ip ${TABLE}`,
    `table ip ${TABLE} {`,
    ' chain silence {',
    '  type filter hook output priority filter; policy accept;',
    `  ip saddr ${ADDRESS} icmp type destination-unreachable drop`,
    `  ip saddr ${ADDRESS} tcp sport { 53, ${tcpPort} } tcp flags rst / fin,rst drop`,
    ' }',
    ' chain output {',
    '  type nat hook output priority -100; policy accept;',
    `  ip daddr ${ADDRESS} udp dport 53 dnat to ${ADDRESS}:${udpPort}`,
    `  ip daddr ${ADDRESS} tcp dport 53 dnat to ${ADDRESS}:${tcpPort}`,
    ' }',
    '}',
  ].join('\n');
}
