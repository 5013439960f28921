import { writeFileSync } from 'node:fs';
import { errnoOf, invalid } from '#base';
import type { LinkChange, Links, NetworkNamespaces } from '#host';
import type { Attachment } from './driver.ts';
import type { Network, NetworkRequest } from './network.ts';

const MTU = 'com.docker.network.driver.mtu';

/** The smallest is IPv4's (RFC 791), the largest what the kernel takes. Throws `invalid`, in Docker's words where there are any. */
export function checkMtu(options: NetworkRequest['options']): void {
  const value = options?.[MTU];
  if (value === undefined || value === '') return;
  if (!/^[+-]?\d+$/.test(value)) {
    throw invalid(`failed to parse ${MTU} value: ${value} (strconv.Atoi: parsing "${value}": invalid syntax)`);
  }
  const mtu = Number(value);
  if (mtu < 0) throw invalid(`invalid MTU number: ${value}`);
  if (mtu !== 0 && (mtu < 68 || mtu > 65_535)) throw invalid(`invalid MTU ${value}: a number from 68 to 65535`);
}

/** The MTU asked for; empty where the kernel chooses. */
export function mtuOf(network: Network): { mtu?: number } {
  const mtu = Number(network.options[MTU] ?? 0);
  return mtu === 0 ? {} : { mtu };
}

/** Brings up an interface that is in its sandbox already: hardware address (where it has its own), MTU, addresses. */
export async function setUpInterface(
  { links, namespaces }: { links: Links; namespaces: NetworkNamespaces },
  network: Network,
  { netns, interfaceName, mac, addresses }: Attachment,
): Promise<void> {
  namespaces.enter(netns, () => {
    const setting = `/proc/sys/net/ipv6/conf/${interfaceName}/disable_ipv6`;
    writeFileIfThere(setting, network.enableIPv6 ? '0' : '1');
  });
  const changes: LinkChange[] = addresses.map((address) => ({ op: 'add-address', name: interfaceName, address }));
  const set = { op: 'set', name: interfaceName, up: true, ...mtuOf(network), ...(mac === '' ? {} : { mac }) } as const;
  await links.apply([set, ...changes], netns);
}

function writeFileIfThere(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    // A kernel without IPv6 has no such file.
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
