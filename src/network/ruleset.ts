import type { PortBinding } from './network.ts';

/** What the rules need to know of a bridge network. */
export interface BridgeRules {
  /** Interface name of the bridge. */
  readonly bridge: string;
  /** CIDR. */
  readonly subnets: readonly string[];
  readonly internal: boolean;
  /** Containers of the network may talk to each other. */
  readonly icc: boolean;
  /** Leaving packets get the host's address. */
  readonly masquerade: boolean;
}

/** A published port, with where it leads. */
export interface PortRule {
  readonly binding: PortBinding;
  /** Address of the container, of the same family as the binding. */
  readonly target: string;
}

/** Names and numbers of one engine instance. */
export interface RulesetNames {
  /** Table name, without family (`inet`). */
  readonly table: string;
  /** Link group of all bridges of the instance. */
  readonly group: number;
  /** Bit set on the mark of packets that this instance lets through. */
  readonly mark: number;
}

/**
 * The whole table as one nft script that replaces what was there, atomically. Published ports are elements of maps, so a
 * packet costs two lookups however many ports there are. Order of the forward chain: answers and packets inside a
 * network and to published ports pass; other packets between networks or from outside are dropped; what leaves a network
 * passes unless it is internal. The chain runs just before the usual filter chains and marks what it lets through, so
 * that a foreign chain with policy drop can be told by one rule to respect that (docs/decisions/011-host-firewall.md).
 */
export function renderRuleset(
  names: RulesetNames,
  networks: readonly BridgeRules[],
  ports: readonly PortRule[],
): string {
  const { table, group, mark } = names;
  const lines = [
    `table inet ${table} {}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    ' map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }',
    ' map one4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }',
    ' map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }',
    ' map one6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }',
    ' set masquerade4 { type ipv4_addr; flags interval; }',
    ' set masquerade6 { type ipv6_addr; flags interval; }',
    ' set own4 { type ipv4_addr; flags interval; }',
    ' set own6 { type ipv6_addr; flags interval; }',
    ' set internal { type ifname; }',
    ' set inside { type ifname . ifname; }',
    ' chain publish {',
    '  meta nfproto ipv4 dnat ip to ip daddr . meta l4proto . th dport map @one4',
    '  meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @any4',
    '  ip6 daddr ::1 return',
    '  meta nfproto ipv6 dnat ip6 to ip6 daddr . meta l4proto . th dport map @one6',
    '  meta nfproto ipv6 fib daddr type local dnat ip6 to meta l4proto . th dport map @any6',
    ' }',
    ' chain raw {',
    '  type filter hook prerouting priority raw; policy accept;',
    // route_localnet on the bridges would otherwise let a container reach the host's loopback.
    `  iifgroup ${group} ip daddr 127.0.0.0/8 drop`,
    ' }',
    ' chain prerouting {',
    '  type nat hook prerouting priority dstnat; policy accept;',
    '  meta l4proto { tcp, udp, sctp } jump publish',
    ' }',
    ' chain output {',
    '  type nat hook output priority -100; policy accept;',
    '  meta l4proto { tcp, udp, sctp } jump publish',
    ' }',
    ' chain postrouting {',
    '  type nat hook postrouting priority srcnat; policy accept;',
    `  oifgroup ${group} ip saddr 127.0.0.0/8 masquerade`,
    // Who reaches a port of its own network by the host's address must get the answer from there. (Matched by
    // subnet: br_netfilter gives no input interface here.)
    `  oifgroup ${group} ct status dnat ip saddr @own4 masquerade`,
    `  oifgroup ${group} ct status dnat ip6 saddr @own6 masquerade`,
    `  oifgroup != ${group} ip saddr @masquerade4 masquerade`,
    `  oifgroup != ${group} ip6 saddr @masquerade6 masquerade`,
    ' }',
    ' chain pass {',
    `  meta mark set meta mark or ${hex(mark)} accept`,
    ' }',
    ' chain inward {',
    '  ct state established,related goto pass',
    '  iifname . oifname @inside goto pass',
    // A published port is open to containers of other networks as well, as it is to the world.
    '  ct status dnat goto pass',
    '  drop',
    ' }',
    ' chain outward {',
    '  iifname @internal drop',
    '  goto pass',
    ' }',
    ' chain forward {',
    '  type filter hook forward priority filter - 1; policy accept;',
    `  oifgroup ${group} goto inward`,
    `  iifgroup ${group} goto outward`,
    ' }',
    '}',
    ...networks.flatMap((network) => networkElements(table, 'add', network)),
    ...ports.map((port) => portElement(table, 'add', port)),
  ];
  return lines.join('\n');
}

/** Script lines that add or take one network's elements. */
export function networkElements(table: string, verb: 'add' | 'delete', network: BridgeRules): string[] {
  const element = (set: string, value: string) => `${verb} element inet ${table} ${set} { ${value} }`;
  const name = `"${network.bridge}"`;
  const lines: string[] = [];
  if (network.internal) lines.push(element('internal', name));
  if (network.icc) lines.push(element('inside', `${name} . ${name}`));
  for (const subnet of network.subnets) {
    lines.push(element(`own${family(subnet)}`, subnet));
    if (network.masquerade && !network.internal) lines.push(element(`masquerade${family(subnet)}`, subnet));
  }
  return lines;
}

/** The script line that adds or takes one published port. */
export function portElement(table: string, verb: 'add' | 'delete', port: PortRule): string {
  const { protocol, containerPort, hostAddress, hostPort } = port.binding;
  const version = family(port.target);
  const any = hostAddress === '0.0.0.0' || hostAddress === '::';
  const key = any ? `${protocol} . ${hostPort}` : `${hostAddress} . ${protocol} . ${hostPort}`;
  return `${verb} element inet ${table} ${any ? 'any' : 'one'}${version} { ${key} : ${port.target} . ${containerPort} }`;
}

function family(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
