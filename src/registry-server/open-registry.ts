import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, invalid, type Logger } from '#base';
import { lockFile } from '#host';
import type { AuthOptions } from './auth/create-authentication.ts';
import { generateTokenKey } from './auth/tokens.ts';
import { type RegistryConfig, readNamedFile } from './config.ts';
import type { AccessEntry } from './http/access-log.ts';
import { openStores } from './open-stores.ts';
import { createRegistryServer, type RegistryServer } from './registry-server.ts';

/** Tags of a cache are compared with the upstream after so many ms. */
const defaultFreshFor = 60_000;

/**
 * Opens a registry. What the config does not put elsewhere is kept below `data` (made if missing), which one process at
 * a time may use: blobs as files, records in SQLite. With S3 and PostgreSQL the server keeps nothing, `data` is not
 * touched, and any number of servers may run side by side. Throws `conflict` when another process has `data`, `invalid` for settings
 * that cannot be, `unavailable` where a service does not answer.
 */
export async function openRegistry(
  data: string,
  config: RegistryConfig,
  output: { logger: Logger; accessLog?: ((entry: AccessEntry) => void) | undefined },
): Promise<RegistryServer> {
  const stateless = config.storage !== undefined && config.records !== undefined;
  const lock = stateless ? undefined : lockData(data);
  try {
    const { close, ...stores } = await openStores(data, config, output.logger);
    try {
      const server = await createRegistryServer({
        ...settings(config),
        ...stores,
        auth: authOptions(stateless ? undefined : data, config),
        logger: output.logger,
        accessLog: output.accessLog,
      });
      return {
        ...server,
        async close() {
          await server.close();
          await close();
          lock?.release();
        },
      };
    } catch (error) {
      await close();
      throw error;
    }
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function lockData(data: string) {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return lockFile(join(data, 'registry.lock'), `another registry uses ${data}; stop it or choose another --data`);
}

function settings(config: RegistryConfig) {
  return {
    tls: config.tls && { cert: readNamedFile(config.tls.cert), key: readNamedFile(config.tls.key) },
    upstreams: (config.upstreams ?? []).map(({ passwordFile, freshFor, password, ...upstream }) => ({
      ...upstream,
      freshFor: freshFor ?? defaultFreshFor,
      password: passwordFile === undefined ? password : readNamedFile(passwordFile).trim(),
    })),
    quotas: config.quotas ?? [],
    readOnly: config.readOnly ?? false,
    deletes: config.deletes ?? true,
    webhooks: config.webhooks ?? [],
    garbage: defined(config.garbage ?? {}),
    limits: defined(config.limits ?? {}),
    externalUrl: config.externalUrl,
    ...(config.events === undefined ? {} : { events: config.events }),
  };
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Leaves out keys whose value is undefined. */
function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function authOptions(data: string | undefined, { auth }: RegistryConfig): AuthOptions {
  if (auth === undefined) return { kind: 'none' };
  const service = auth.service ?? 'berth-registry';
  if (auth.token !== undefined) {
    const { realm, issuer, keys = [], rootCertBundle, jwks } = auth.token;
    return {
      kind: 'token',
      realm,
      issuer,
      service,
      keys: {
        keys: keys.map(readNamedFile),
        rootCertBundle: rootCertBundle && readNamedFile(rootCertBundle),
        jwks: jwks && readNamedFile(jwks),
      },
    };
  }
  const { htpasswd, rules = [], anonymousRead = false } = auth;
  if (htpasswd === undefined) throw invalid('auth needs an htpasswd file or a token service');
  // Docker's clients pull without a login from a registry that asks for tokens, not from one that asks for passwords.
  const tokens = auth.tokens ?? (anonymousRead || rules.some((rule) => rule.users.includes('anonymous')));
  return {
    kind: 'htpasswd',
    file: htpasswd,
    rules,
    anonymousRead,
    service,
    tokenKey: tokens ? tokenKey(data, auth.tokenKey) : undefined,
  };
}

/** The key of the registry's own tokens: the configured one, else one in `data`, made at the first start. */
function tokenKey(data: string | undefined, configured: string | undefined): string {
  if (configured !== undefined) return readNamedFile(configured);
  if (data === undefined) {
    throw invalid(
      'auth.tokenKey is missing: servers that share their stores need the same key; make one with "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"',
    );
  }
  const path = join(data, 'token-key.pem');
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  writeFileSync(path, generateTokenKey(), { mode: 0o600, flag: 'wx' });
  return readFileSync(path, 'utf8');
}
