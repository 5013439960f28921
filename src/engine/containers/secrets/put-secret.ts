import { posix } from 'node:path';
import { conflict, invalid } from '#base';
import type { RuntimeMount } from '#oci';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import type { SecretFiles, SecretPlace } from './secret-files.ts';

/** What giving a secret needs. */
export interface PutSecretDependencies {
  readonly registry: Pick<ContainerRegistry, 'setSettings'>;
  readonly secrets: Pick<SecretFiles, 'write'>;
}

const mostSecrets = 1000;
const largestId = 2 ** 32 - 2;

/**
 * Gives a container a secret, or one that it has a new content, which a running container sees at once; a new path is
 * there from the next start. Content first, then the record: a start never misses what is recorded. Call under the
 * container's lock. Throws `invalid`, `conflict` when something else is mounted there, `unavailable` when it is full.
 */
export async function putSecret(
  deps: PutSecretDependencies,
  container: LiveContainer,
  { place, content }: { place: SecretPlace; content: Uint8Array },
): Promise<void> {
  if (container.removing) throw conflict(`container ${container.name} is marked for removal`);
  const checked = checkPlace(place);
  const { mounts, host, secrets = [] } = container.settings;
  const taken = [...mounts.map(({ point }) => point.destination), ...Object.keys(host.tmpfs)];
  if (taken.includes(checked.path)) {
    throw conflict(`container ${container.name} has a mount at ${checked.path}: a secret needs a path of its own`);
  }
  const others = secrets.filter(({ path }) => path !== checked.path);
  if (others.length >= mostSecrets) throw invalid(`container ${container.name} has ${mostSecrets} secrets already`);
  await deps.secrets.write(container.id, checked, content);
  deps.registry.setSettings(container, { secrets: [...others, checked] });
}

function checkPlace(place: SecretPlace): SecretPlace {
  const path = posix.normalize(place.path);
  if (!place.path.startsWith('/') || path.endsWith('/') || path.includes('\0')) {
    throw invalid(`invalid path ${JSON.stringify(place.path)} of a secret: give the absolute path of a file`);
  }
  for (const id of [place.uid, place.gid]) {
    if (!Number.isInteger(id) || id < 0 || id > largestId) throw invalid(`invalid owner ${id} of secret ${path}`);
  }
  if (!Number.isInteger(place.mode) || place.mode < 0 || place.mode > 0o777) {
    throw invalid(`invalid mode ${place.mode.toString(8)} of secret ${path}: use 0 to 777`);
  }
  return { ...place, path };
}

/** The mounts of a container's secrets. Throws `conflict` when they are gone with an earlier boot of the host. */
export async function secretMounts(
  secrets: Pick<SecretFiles, 'find'>,
  { id, name, settings }: Pick<LiveContainer, 'id' | 'name' | 'settings'>,
): Promise<RuntimeMount[]> {
  const mounts: RuntimeMount[] = [];
  for (const { path } of settings.secrets ?? []) {
    const source = await secrets.find(id, path);
    if (source === undefined) {
      throw conflict(
        `secret ${path} of container ${name} is gone: secrets are kept in memory and end with the host's boot; ` +
          'give it again (berth compose up does)',
      );
    }
    const options = ['bind', 'ro', 'nosuid', 'nodev', 'noexec', 'rprivate'];
    mounts.push({ type: 'bind', source, destination: path, options });
  }
  return mounts;
}
