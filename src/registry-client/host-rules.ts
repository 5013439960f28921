import { BlockList, isIP } from 'node:net';

/** The host of `host[:port]`, without port and brackets. */
function hostnameOf(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'));
  return isIP(host) === 6 ? host : host.replace(/:\d+$/, '');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for `localhost` and loopback addresses, with or without a port. */
export function isLoopback(host: string): boolean {
  const name = hostnameOf(host);
  return name === 'localhost' || matches(loopback, name);
}

function matches(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** A list of hosts, `host:port`s, addresses and CIDR ranges, as `--insecure-registry` and NO_PROXY have them. */
export class HostList {
  readonly #names = new Set<string>();
  readonly #ranges = new BlockList();

  /** Entries that are none of these are kept as names. */
  constructor(entries: Iterable<string>) {
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/');
      const version = isIP(address);
      if (prefix !== undefined && version !== 0 && /^\d{1,3}$/.test(prefix)) {
        this.#ranges.addSubnet(address, Number(prefix), version === 6 ? 'ipv6' : 'ipv4');
      } else if (entry !== '') {
        this.#names.add(entry.toLowerCase());
      }
    }
  }

  /** True when `host` (with or without port) is listed, exactly, by its name without the port, or by a range. */
  has(host: string): boolean {
    const name = hostnameOf(host.toLowerCase());
    return this.#names.has(host.toLowerCase()) || this.#names.has(name) || matches(this.#ranges, name);
  }

  /** As {@link HostList.has}; an entry also stands for the domains below it (`example.org` or `.example.org`). */
  hasDomain(host: string): boolean {
    if (this.#names.has('*') || this.has(host)) return true;
    const name = hostnameOf(host.toLowerCase());
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (this.#names.has(name.slice(dot)) || this.#names.has(name.slice(dot + 1))) return true;
    }
    return this.#names.has(`.${name}`);
  }
}
