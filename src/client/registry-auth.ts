import type { AuthConfig, AuthConfigs } from '#api-types';

/** The header that carries the credentials of one registry. */
export function registryAuthHeader(auth: AuthConfig | undefined): Record<string, string> {
  return { 'x-registry-auth': Buffer.from(JSON.stringify(auth ?? {})).toString('base64url') };
}

/** The header that carries the credentials of all registries a build may need. */
export function registryConfigHeader(auths: AuthConfigs): Record<string, string> {
  return { 'x-registry-config': Buffer.from(JSON.stringify(auths)).toString('base64url') };
}
