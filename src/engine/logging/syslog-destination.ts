import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { errnoOf, messageOf, unavailable } from '#base';
import { connectUnixDatagram } from '#host';
import type { LiveContainer } from '../containers/live-container.ts';
import type { LogDestination } from './log-destination.ts';
import { logTag } from './log-tag.ts';
import { syslogMessage } from './syslog-message.ts';
import { readSyslogOptions, type SyslogAddress, type SyslogOptions } from './syslog-options.ts';

/** How long a server may take to answer, ms. */
const patience = 5000;

interface Transport {
  send(message: Buffer): Promise<void>;
  close(): void;
}

/** A syslog server (RFC 3164, 5424; over TLS with RFC 5425's framing where the form is of RFC 5424). */
export async function openSyslog(container: LiveContainer): Promise<LogDestination> {
  const options = readSyslogOptions(container.settings.host.log.options);
  const { facility, format, address } = options;
  const transport = await openTransport(options);
  const counted = address.kind === 'tls' && format.startsWith('rfc5424');
  const common = { facility, format, hostname: hostname(), tag: logTag(container), pid: process.pid };
  return {
    send({ stream, time, text }) {
      const message = syslogMessage({ ...common, stream, time, text });
      return transport.send(counted ? Buffer.concat([Buffer.from(`${message.length} `), message]) : message);
    },
    close: () => transport.close(),
  };
}

async function openTransport(options: SyslogOptions): Promise<Transport> {
  const { address } = options;
  if (address.kind === 'unix') return connectUnixDatagram(address.path);
  if (address.kind === 'udp') return openUdp(address);
  return openStream(address, options);
}

type Server = Exclude<SyslogAddress, { kind: 'unix' }>;

async function openUdp({ host, port }: Server): Promise<Transport> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('error', () => {}); // told to whoever sends
  socket.unref();
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        socket.send(message, port, host, (error) => {
          if (error) reject(unavailable(`cannot send to syslog at ${host}:${port}: ${error.message}`));
          else resolve();
        });
      }),
    close: () => socket.close(),
  };
}

async function openStream({ kind, host, port }: Server, { tls }: SyslogOptions): Promise<Transport> {
  let socket: Socket;
  try {
    socket = kind === 'tls' ? connectTls({ host, port, ...(await tlsOptions(tls)) }) : connect({ host, port });
    await once(socket, kind === 'tls' ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(patience) });
  } catch (error) {
    const why = errnoOf(error) === 'ECONNREFUSED' ? 'connect: connection refused' : messageOf(error);
    throw unavailable(`dial ${kind === 'tls' ? 'tcp+tls' : kind} ${host}:${port}: ${why}`);
  }
  socket.on('error', () => {}); // told to whoever sends
  socket.resume();
  socket.unref();
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        const gone = (error?: Error | null) => unavailable(`syslog at ${host}:${port} is gone`, { cause: error });
        // A server that has ended its direction reads no more.
        if (!socket.writable || socket.readableEnded) return reject(gone());
        socket.write(message, (error) => (error ? reject(gone(error)) : resolve()));
      }),
    close: () => socket.end(),
  };
}

async function tlsOptions(tls: SyslogOptions['tls']) {
  const read = async (path: string | undefined) => (path === undefined ? undefined : await readFile(path));
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
  return { rejectUnauthorized: !tls.skipVerify, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
