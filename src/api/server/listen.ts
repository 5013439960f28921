import { chmod, chown, lstat, unlink } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type ListenOptions } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { conflict, errnoOf, unavailable } from '#base';

/** Where the API listens. */
export type ListenAddress =
  | {
      readonly kind: 'unix';
      readonly path: string /** Owner group of the socket; root's where undefined. */;
      readonly gid?: number;
    }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      /** 0 lets the kernel choose. */
      readonly port: number;
      /** PEM texts; with `ca` and `requestCert` only clients with a certificate of that CA may come in. */
      readonly tls?: Pick<
        SecureContextOptions & TlsOptions,
        'ca' | 'cert' | 'key' | 'requestCert' | 'rejectUnauthorized'
      >;
    };

/** Makes an HTTP server for `address`; nothing listens yet. Uploads and streams may last as long as they like. */
export function makeServer(address: ListenAddress, listener: RequestListener): Server {
  const options = { keepAlive: true, noDelay: true, requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 0 };
  if (address.kind === 'tcp' && address.tls !== undefined)
    return createTlsServer({ ...options, ...address.tls }, listener);
  return createServer(options, listener);
}

/**
 * Starts listening; a unix socket gets mode 0660. A socket file that nobody answers on is replaced; throws `conflict`
 * when somebody does, `unavailable` when the address cannot be had.
 */
export async function listenOn(server: Server, address: ListenAddress): Promise<void> {
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  try {
    await startListening(
      server,
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
    );
  } catch (error) {
    const where = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
    throw unavailable(`cannot listen on ${where}: ${errnoOf(error) ?? error}`, { cause: error });
  }
  if (address.kind === 'unix') {
    await chmod(address.path, 0o660);
    if (address.gid !== undefined) await chown(address.path, 0, address.gid);
  }
}

function startListening(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw conflict(`cannot listen on ${path}: a file that is no socket is in the way`);
  const answered = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
  if (answered) throw conflict(`cannot listen on ${path}: another daemon answers there; stop it or choose another -H`);
  await unlink(path);
}
