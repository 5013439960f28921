import { spawn } from 'node:child_process';
import type { AuthConfig, AuthConfigs } from '#api-types';
import { messageOf, unavailable } from '#base';
import type { ConfigFile, StoredAuth } from '../host/index.ts';

/** The key under which Docker keeps the credentials of its hub. */
export const hubKey = 'https://index.docker.io/v1/';

/** The key of a registry in config.json. */
export function registryKey(registry: string): string {
  return registry === 'docker.io' || registry === 'index.docker.io' || registry === '' ? hubKey : registry;
}

function bare(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/')[0] ?? key;
}

/** Runs `docker-credential-NAME ACTION` with `input` and returns what it prints. Throws `unavailable`. */
export function runHelper(name: string, action: 'get' | 'store' | 'erase' | 'list', input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${name}`, [action], { stdio: ['pipe', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => reject(unavailable(`error getting credentials - err: ${messageOf(error)}`)));
    child.on('close', (code) => {
      const text = Buffer.concat(chunks).toString().trim();
      if (code === 0) resolve(text);
      else reject(unavailable(`error getting credentials - err: exit status ${code}, out: \`${text}\``));
    });
    child.stdin.end(input);
  });
}

function fromStored(key: string, stored: StoredAuth): AuthConfig {
  const decoded = Buffer.from(stored.auth ?? '', 'base64').toString();
  const colon = decoded.indexOf(':');
  const auth: AuthConfig = { serveraddress: key };
  const username = stored.username ?? (colon > 0 ? decoded.slice(0, colon) : undefined);
  const password = stored.password ?? (colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, '') : undefined);
  if (username !== undefined) auth.username = username;
  if (password !== undefined) auth.password = password;
  if (stored.identitytoken !== undefined) auth.identitytoken = stored.identitytoken;
  if (stored.registrytoken !== undefined) auth.registrytoken = stored.registrytoken;
  return auth;
}

/** The credentials of a registry's key, from its helper or config.json; undefined when there are none. */
export async function credentialsFor(config: ConfigFile, key: string): Promise<AuthConfig | undefined> {
  const helper = config.credHelpers?.[key] ?? config.credHelpers?.[bare(key)] ?? config.credsStore;
  if (helper) {
    try {
      const answer = JSON.parse(await runHelper(helper, 'get', key)) as { Username: string; Secret: string };
      return answer.Username === '<token>'
        ? { serveraddress: key, identitytoken: answer.Secret }
        : { serveraddress: key, username: answer.Username, password: answer.Secret };
    } catch (error) {
      if (!/credentials not found/.test(messageOf(error))) throw error;
    }
  }
  const auths = config.auths ?? {};
  const found = auths[key] ?? Object.entries(auths).find(([other]) => bare(other) === bare(key))?.[1];
  return found === undefined ? undefined : fromStored(key, found);
}

/** All credentials that config.json holds itself or names helpers for, for a build. */
export async function allCredentials(config: ConfigFile): Promise<AuthConfigs> {
  const keys = new Set([...Object.keys(config.auths ?? {}), ...Object.keys(config.credHelpers ?? {})]);
  const auths: AuthConfigs = {};
  for (const key of keys) {
    const auth = await credentialsFor(config, key);
    if (auth !== undefined) auths[key] = auth;
  }
  return auths;
}
