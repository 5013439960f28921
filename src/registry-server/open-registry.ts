import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, invalid, type Logger, messageOf } from '#base';
import { openContentStore } from '#content';
import { lockFile } from '#host';
import { openDatabase } from '#metadata';
import type { AuthOptions } from './auth/create-authentication.ts';
import { generateTokenKey } from './auth/tokens.ts';
import type { RegistryConfig } from './config.ts';
import type { AccessEntry } from './http/access-log.ts';
import { registryMigrations } from './records/schema.ts';
import { createSqliteRecords } from './records/sqlite-records.ts';
import { createRegistryServer, type RegistryServer } from './registry-server.ts';

/** Tags of a cache are compared with the upstream after so many ms. */
const defaultFreshFor = 60_000;

/**
 * Opens a registry on a directory: blobs as files, records in SQLite, both below `data` (made if missing), which one
 * process at a time may use. Throws `conflict` when another has it, `invalid` for settings that cannot be.
 */
export async function openRegistry(
  data: string,
  config: RegistryConfig,
  output: { logger: Logger; accessLog?: ((entry: AccessEntry) => void) | undefined },
): Promise<RegistryServer> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const lock = lockFile(join(data, 'registry.lock'), `another registry uses ${data}; stop it or choose another --data`);
  try {
    const storage = await openContentStore({ root: join(data, 'content') });
    const database = openDatabase(join(data, 'registry.db'), registryMigrations);
    try {
      const server = await createRegistryServer({
        ...settings(config),
        auth: authOptions(data, config),
        storage,
        records: createSqliteRecords(database),
        logger: output.logger,
        accessLog: output.accessLog,
      });
      return {
        ...server,
        async close() {
          await server.close();
          database.close();
          lock.release();
        },
      };
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

function settings(config: RegistryConfig) {
  return {
    tls: config.tls && { cert: pem(config.tls.cert), key: pem(config.tls.key) },
    upstreams: (config.upstreams ?? []).map(({ passwordFile, freshFor, password, ...upstream }) => ({
      ...upstream,
      freshFor: freshFor ?? defaultFreshFor,
      password: passwordFile === undefined ? password : pem(passwordFile).trim(),
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

function authOptions(data: string, { auth }: RegistryConfig): AuthOptions {
  if (auth === undefined) return { kind: 'none' };
  const service = auth.service ?? 'berth-registry';
  if (auth.token !== undefined) {
    return { kind: 'token', service, ...auth.token, keys: auth.token.keys.map((path) => pem(path)) };
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
    tokenKey: tokens ? tokenKey(join(data, 'token-key.pem')) : undefined,
  };
}

/** The key of the registry's own tokens, made at its first start. */
function tokenKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  writeFileSync(path, generateTokenKey(), { mode: 0o600, flag: 'wx' });
  return readFileSync(path, 'utf8');
}

function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`${path}: ${messageOf(error)}`);
  }
}
