import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, isIPv6, type Server } from 'node:net';

/** A UDP client is forgotten after this silence, in ms. */
const UDP_IDLE = 90_000;

/** A forwarder at work. */
export interface PortForwarder {
  /** New connections go elsewhere from now on; those that are open stay. UDP clients count as new. */
  retarget(target: Pick<ForwardTarget, 'address' | 'port'>): void;
  /** Ends it with all its connections. */
  close(): void;
}

/** Where a forwarder sends to. */
export interface ForwardTarget {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

/**
 * Carries connections that arrive on the bound socket `fd` to a container, in user space. Only for what address
 * translation cannot do: IPv6 clients of a container without IPv6, and ::1. The container sees the host's address.
 * Takes over `fd`.
 */
export function forwardPort(fd: number, target: ForwardTarget): PortForwarder {
  return target.protocol === 'tcp' ? forwardTcp(fd, target) : forwardUdp(fd, target);
}

function forwardTcp(fd: number, first: ForwardTarget): PortForwarder {
  let target: Pick<ForwardTarget, 'address' | 'port'> = first;
  const open = new Set<{ destroy(): void }>();
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const upstream = connect({ host: target.address, port: target.port, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        if (socket.errored) other.destroy();
      });
    }
    upstream.on('connect', () => {
      client.pipe(upstream).pipe(client);
    });
  });
  server.on('error', () => server.close());
  server.listen({ fd });
  server.unref();
  return {
    retarget(next) {
      target = next;
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function forwardUdp(fd: number, first: ForwardTarget): PortForwarder {
  let target: Pick<ForwardTarget, 'address' | 'port'> = first;
  const clients = new Map<string, { socket: UdpSocket; timer: NodeJS.Timeout }>();
  const server = createSocket('udp6');
  const drop = (key: string) => {
    const client = clients.get(key);
    if (!client) return;
    clients.delete(key);
    clearTimeout(client.timer);
    client.socket.close();
  };
  server.on('message', (message, from) => {
    const key = `${from.address} ${from.port}`;
    let client = clients.get(key);
    if (!client) {
      const socket = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
      socket.on('message', (answer) => {
        clients.get(key)?.timer.refresh();
        server.send(answer, from.port, from.address);
      });
      socket.on('error', () => drop(key));
      client = { socket, timer: setTimeout(() => drop(key), UDP_IDLE).unref() };
      clients.set(key, client);
    }
    client.timer.refresh();
    client.socket.send(message, target.port, target.address);
  });
  server.on('error', () => undefined);
  server.bind({ fd });
  server.unref();
  const dropAll = () => {
    for (const key of [...clients.keys()]) drop(key);
  };
  return {
    retarget(next) {
      target = next;
      dropAll();
    },
    close() {
      dropAll();
      server.close();
    },
  };
}
