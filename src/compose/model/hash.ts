import { createHash } from 'node:crypto';
import { networkDocument, serviceDocument, volumeDocument } from './config-document.ts';
import { goJson } from './go-json.ts';
import type { Network, Volume } from './project.ts';
import type { Service } from './service.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The value of the label `com.docker.compose.config-hash` of a service's containers: the same as docker compose
 * computes, so that either takes over what the other made. What does not change a container (how the image is built
 * or pulled, how many containers there are, dependencies, profiles) is not part of it.
 */
export function serviceHash(service: Service): string {
  const {
    build: _build,
    pull_policy: _pull,
    scale: _scale,
    depends_on: _depends,
    profiles: _profiles,
    ...rest
  } = service;
  if (rest.deploy) {
    const { replicas: _replicas, ...deploy } = rest.deploy;
    rest.deploy = deploy;
  }
  return sha256(goJson(serviceDocument(rest)));
}

/** The value of the label `com.docker.compose.config-hash` of a network. */
export function networkHash(network: Network): string {
  return sha256(goJson(networkDocument(network)));
}

/** The value of the label `com.docker.compose.config-hash` of a volume. */
export function volumeHash(volume: Volume): string {
  const { name, driver, ...rest } = volume;
  return sha256(goJson(volumeDocument({ name, driver: driver ?? 'local', ...rest })));
}
