import { execFileSync } from 'node:child_process';

const run = (command: string) => execFileSync('sh', ['-ec', command], { encoding: 'utf8' });

/**
 * A network namespace that plays another machine: linked to the host, and with a route through the host to everywhere else, so
 * that it would reach containers directly if the host let it. Gone on dispose.
 */
export class Machine implements Disposable {
  readonly name: string;
  readonly netns: string;
  /** Its own addresses, and the host's on the link between them; of the ranges for documentation. */
  readonly addresses = { ipv4: '198.51.100.1', ipv6: '2001:db8:51::1' } as const;
  readonly host = { ipv4: '198.51.100.2', ipv6: '2001:db8:51::2' } as const;

  constructor(name: string) {
    this.name = name;
    this.netns = `/run/netns/${name}`;
    const { addresses, host } = this;
    run(`
      ip netns add ${name}
      ip link add ${name} type veth peer name wire netns ${name}
      ip address add ${host.ipv4}/24 dev ${name}
      ip address add ${host.ipv6}/64 dev ${name} nodad
      ip link set ${name} up
      ip -n ${name} link set lo up
      ip -n ${name} address add ${addresses.ipv4}/24 dev wire
      ip -n ${name} address add ${addresses.ipv6}/64 dev wire nodad
      ip -n ${name} link set wire up
      ip -n ${name} route add default via ${host.ipv4}
      ip -n ${name} route add default via ${host.ipv6}`);
  }

  [Symbol.dispose](): void {
    run(`ip link delete ${this.name}; ip netns delete ${this.name}`);
  }
}
