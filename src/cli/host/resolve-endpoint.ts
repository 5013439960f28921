import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Endpoint, parseEndpoint, type TlsOptions } from '#client';
import type { GlobalFlags } from '../command/index.ts';
import { readConfigFile } from './config-file.ts';
import { readContext } from './contexts.ts';

/** Where berthd listens when nobody says otherwise. */
export const defaultSocket = 'unix:///run/berth/berth.sock';

type Environment = Readonly<Record<string, string | undefined>>;

/** The name of the context in use: `default` where a host is named outright. */
export function currentContext(globals: GlobalFlags, env: Environment): string {
  if (globals.context !== undefined) return globals.context;
  if (globals.host !== undefined || env.BERTH_HOST || env.DOCKER_HOST) return 'default';
  return env.DOCKER_CONTEXT || readConfigFile(globals.configDir).currentContext || 'default';
}

function tlsOf(globals: GlobalFlags, env: Environment): TlsOptions | undefined {
  const verify = globals.tlsVerify || (env.DOCKER_TLS_VERIFY ?? '') !== '';
  if (!verify && !globals.tls && (env.DOCKER_TLS ?? '') === '') return undefined;
  const directory = env.DOCKER_CERT_PATH || globals.configDir;
  const read = (given: string | undefined, name: string): Buffer | undefined => {
    try {
      return readFileSync(given ?? join(directory, name));
    } catch (error) {
      if (given === undefined) return undefined;
      throw error;
    }
  };
  const ca = read(globals.tlsCaCert, 'ca.pem');
  const cert = read(globals.tlsCert, 'cert.pem');
  const key = read(globals.tlsKey, 'key.pem');
  return { verify, ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}

/** Which daemon to talk to: `-H`, `--context`, BERTH_HOST, DOCKER_HOST, the current context, else our own socket. */
export function resolveEndpoint(globals: GlobalFlags, env: Environment): Endpoint {
  const name = currentContext(globals, env);
  if (globals.host === undefined && name !== 'default') {
    const context = readContext(globals.configDir, name);
    return parseEndpoint(context.host, context.tls);
  }
  const fromEnvironment = globals.context === undefined ? env.BERTH_HOST || env.DOCKER_HOST : undefined;
  const address = globals.host ?? (fromEnvironment || defaultSocket);
  const tls = address.startsWith('unix:') ? undefined : tlsOf(globals, env);
  return parseEndpoint(address, tls);
}
