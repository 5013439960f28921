import { readFileSync } from 'node:fs';
import type { ListenAddress } from '#api';
import { invalid, messageOf } from '#base';
import type { DaemonConfig } from './config.ts';

/** Turns the configured hosts into addresses with group and TLS. Throws `invalid` for a missing group or PEM file. */
export function listenAddresses(config: DaemonConfig): ListenAddress[] {
  const gid = socketGroup(config.group);
  return config.hosts.map((host): ListenAddress => {
    if (host.startsWith('unix://')) {
      return { kind: 'unix', path: host.slice('unix://'.length), ...(gid === undefined ? {} : { gid }) };
    }
    const url = new URL(host);
    const tls = config.tls && {
      cert: pem('--tlscert', config.tls.cert),
      key: pem('--tlskey', config.tls.key),
      ...(config.tls.verify
        ? { ca: pem('--tlscacert', config.tls.ca), requestCert: true, rejectUnauthorized: true }
        : {}),
    };
    const name = url.hostname.replace(/^\[|\]$/g, '') || '0.0.0.0';
    return { kind: 'tcp', host: name, port: Number(url.port), ...(tls ? { tls } : {}) };
  });
}

function pem(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`${flag} ${path}: ${messageOf(error)}`);
  }
}

/** The gid of the asked group; without one, of `docker` or `berth` where they exist. */
function socketGroup(asked: string | undefined): number | undefined {
  const groups = new Map(
    readFileSync('/etc/group', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , gid]) => [name, Number(gid)]),
  );
  if (asked !== undefined && !groups.has(asked)) throw invalid(`--group ${asked}: no such group in /etc/group`);
  if (asked !== undefined) return groups.get(asked);
  return groups.get('docker') ?? groups.get('berth');
}
