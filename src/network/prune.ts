import { isBerthError } from '#base';
import type { Network, Networks } from './network.ts';
import { predefinedNetworks } from './network-catalog.ts';

/** True for a network that somebody made, as against those that are always there. */
export function isCustom(network: Pick<Network, 'name'>): boolean {
  return !predefinedNetworks.some((name) => name === network.name);
}

/** True for a network that somebody made and nothing is on. */
export async function isUnused(networks: Pick<Networks, 'endpoints'>, network: Network): Promise<boolean> {
  return isCustom(network) && (await networks.endpoints(network.id)).length === 0;
}

/** Removes the unused networks that `matches` takes, but no configuration kept for others. Returns their names. */
export async function pruneNetworks(
  networks: Pick<Networks, 'list' | 'endpoints' | 'remove'>,
  matches: (network: Network) => boolean,
): Promise<string[]> {
  const deleted: string[] = [];
  for (const network of await networks.list()) {
    if (network.configOnly || !matches(network) || !(await isUnused(networks, network))) continue;
    try {
      await networks.remove(network.id);
      deleted.push(network.name);
    } catch (error) {
      // Somebody came to use it, or removed it, in between: that is no failure of a prune.
      if (!isBerthError(error)) throw error;
    }
  }
  return deleted;
}
