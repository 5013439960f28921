import { createHash } from 'node:crypto';
import type { Network, Volume } from '../model/index.ts';

function sha256(value: unknown): string {
  return createHash('sha256').update(goJson(value)).digest('hex');
}

/** JSON as Go writes it: `<`, `>`, `&` and the line separators as escapes. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sorted(mapping: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  if (mapping === undefined || Object.keys(mapping).length === 0) return undefined;
  return Object.fromEntries(Object.entries(mapping).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** The config hash that docker compose puts on a network: SHA-256 of its JSON, keys in compose-go's order. */
export function networkHash(network: Network): string {
  const pools = network.ipam?.config?.map((pool) => ({
    subnet: pool.subnet || undefined,
    gateway: pool.gateway || undefined,
    ip_range: pool.ip_range || undefined,
    aux_addresses: sorted(pool.aux_addresses),
  }));
  return sha256({
    name: network.name,
    driver: network.driver || undefined,
    driver_opts: sorted(network.driver_opts),
    ipam: {
      driver: network.ipam?.driver || undefined,
      config: pools !== undefined && pools.length > 0 ? pools : undefined,
    },
    external: network.external || undefined,
    internal: network.internal || undefined,
    attachable: network.attachable || undefined,
    labels: sorted(network.labels),
    enable_ipv4: network.enable_ipv4,
    enable_ipv6: network.enable_ipv6,
  });
}

/** The config hash that docker compose puts on a volume; a missing driver counts as `local`. */
export function volumeHash(volume: Volume): string {
  return sha256({
    name: volume.name,
    driver: volume.driver || 'local',
    driver_opts: sorted(volume.driver_opts),
    external: volume.external || undefined,
    labels: sorted(volume.labels),
  });
}
