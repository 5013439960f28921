import { invalid } from '#base';

/** Files and choices of a TLS connection; contents, not paths. */
export interface TlsOptions {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** False accepts any certificate of the server. */
  readonly verify: boolean;
}

/** Where a daemon listens. `address` is as the user wrote it, for messages. */
export type Endpoint = { readonly address: string } & (
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: TlsOptions }
);

/**
 * Reads `unix:///path`, `tcp://host:port`, `http://` and `https://host:port`.
 * Throws `invalid` with Docker's text for anything else.
 */
export function parseEndpoint(address: string, tls?: TlsOptions): Endpoint {
  const match = /^([a-z]+):\/\/(.*)$/.exec(address.includes('://') ? address : `tcp://${address}`);
  const [, scheme = '', rest = ''] = match ?? [];
  if (scheme === 'unix') return { kind: 'unix', path: rest || '/var/run/docker.sock', address };
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https') {
    throw invalid(`invalid bind address (${address}): unsupported proto '${scheme}'`);
  }
  const parts = /^(?:\[([^\]]+)\]|([^:/]*))(?::(\d+))?(?:\/.*)?$/.exec(rest);
  if (!parts) throw invalid(`invalid bind address (${address}): expected host:port`);
  const secure = tls ?? (scheme === 'https' ? { verify: true } : undefined);
  return {
    kind: 'tcp',
    host: parts[1] ?? (parts[2] || '127.0.0.1'),
    port: parts[3] === undefined ? (secure ? 2376 : 2375) : Number(parts[3]),
    address,
    ...(secure ? { tls: secure } : {}),
  };
}
