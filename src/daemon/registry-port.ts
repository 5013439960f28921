import type { RegistryPort } from '#api';
import { notImplemented } from '#base';
import type { RegistryCredentials } from '#image';
import { type Index, type Manifest, mediaTypes, type Platform, parseReference, withDefaultTag } from '#oci';
import type { RegistryClient } from '#registry-client';

/** Login, look-ups and search for the API, on the registry client. */
export function createRegistryPort(client: RegistryClient): RegistryPort {
  return {
    async login(credentials) {
      const domain = domainOf(credentials.serverAddress);
      const { identityToken } = await client.login(domain, credentials);
      return { status: 'Login Succeeded', ...(identityToken ? { identityToken } : {}) };
    },
    async inspect(name, { credentials, signal }) {
      const reference = withDefaultTag(parseReference(name));
      const repository = client.repository(reference, credentials);
      const target = reference.digest ?? reference.tag ?? 'latest';
      const { descriptor, bytes } = await repository.manifest(target, { signal });
      return { descriptor, platforms: await platformsOf(JSON.parse(bytes.toString()), repository, signal) };
    },
    async search(term) {
      throw notImplemented(
        `cannot search for "${term}": a search needs Docker Hub's index; list a registry's own repositories by its _catalog`,
      );
    },
  };

  async function platformsOf(
    document: Index | Manifest,
    repository: ReturnType<RegistryClient['repository']>,
    signal: AbortSignal,
  ): Promise<Platform[]> {
    if ('manifests' in document) return document.manifests.flatMap(({ platform }) => platform ?? []);
    const { config } = document;
    if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) return [];
    const chunks: Buffer[] = [];
    for await (const chunk of await repository.openBlob(config, { signal })) chunks.push(chunk as Buffer);
    const { os, architecture, variant } = JSON.parse(Buffer.concat(chunks).toString()) as Platform;
    return [{ os, architecture, ...(variant ? { variant } : {}) }];
  }
}

/** Docker's address of its hub is a URL with a path; everything else is a host with or without a scheme. */
function domainOf(address: RegistryCredentials['serverAddress'] = ''): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === '' || host === 'index.docker.io' ? 'docker.io' : host;
}
