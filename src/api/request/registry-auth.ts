import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { invalid } from '#base';
import type { RegistryCredentials } from '#image';
import { decodeJson, goObject, text } from '../decode/go-json.ts';

/** Schema of credentials on the wire. */
export const authSchema = goObject({
  username: text,
  password: text,
  auth: text,
  serveraddress: text,
  identitytoken: text,
  registrytoken: text,
});

/** Turns wire credentials into the domain's; empty strings count as not given. */
export function decodeAuth(wire: z.output<typeof authSchema>): RegistryCredentials {
  let { username, password } = wire;
  if (!username && wire.auth) {
    const pair = Buffer.from(wire.auth, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon > 0) [username, password] = [pair.slice(0, colon), pair.slice(colon + 1)];
  }
  return {
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(wire.identitytoken ? { identityToken: wire.identitytoken } : {}),
    ...(wire.registrytoken ? { registryToken: wire.registrytoken } : {}),
    ...(wire.serveraddress ? { serverAddress: wire.serveraddress } : {}),
  };
}

/** The credentials of X-Registry-Auth; undefined where the header is missing or says nothing. Throws `invalid`. */
export function registryAuth(request: FastifyRequest): RegistryCredentials | undefined {
  const json = headerJson(request, 'x-registry-auth');
  if (json === undefined) return undefined;
  const credentials = decodeAuth(decodeJson(json, authSchema));
  return Object.keys(credentials).length === 0 ? undefined : credentials;
}

/** The credentials of X-Registry-Config, by registry. Throws `invalid`. */
export function registryConfig(request: FastifyRequest): Record<string, RegistryCredentials> {
  const json = headerJson(request, 'x-registry-config');
  if (json === undefined) return {};
  const wire = decodeJson(json, z.record(z.string(), authSchema));
  return Object.fromEntries(Object.entries(wire).map(([registry, auth]) => [registry, decodeAuth(auth)]));
}

function headerJson(request: FastifyRequest, name: string): string | undefined {
  const header = request.headers[name];
  if (typeof header !== 'string' || header === '') return undefined;
  const json = Buffer.from(header, 'base64url').toString('utf8').trim();
  if (json === '' || json === 'null') return undefined;
  if (!json.startsWith('{')) throw invalid(`invalid ${name} header: want base64url of a JSON object`);
  return json;
}
