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
  /** Leaving packets get the host's address, but in routed families. */
  readonly masquerade: boolean;
  /** Families in which nothing is translated: published ports are open at the container's address. */
  readonly routed: readonly (4 | 6)[];
  /** Families in which who has a route reaches every port. */
  readonly unprotected: readonly (4 | 6)[];
  /** Whether the host's input rules decide who reaches its published ports; the engine's default where left out. */
  readonly firewall?: FirewallMode;
}

/**
 * Who decides about new connections from outside to a published port: nobody (`open`, as Docker), or the input rules of
 * the host (`host`), as they do for a program of the host that listens there.
 */
export type FirewallMode = 'open' | 'host';

/** A published port, with where it leads. */
export interface PortRule {
  readonly binding: PortBinding;
  /** Address of the container, of the same family as the binding. */
  readonly target: string;
  /** The input rules of the host decide. */
  readonly asksHost?: boolean;
}

/** Names and numbers of one engine instance. */
export interface RulesetNames {
  /** Table name, without family (`inet`). */
  readonly table: string;
  /** Link group of all bridges of the instance. */
  readonly group: number;
  /** Bit set on the mark of packets that this instance lets through. */
  readonly mark: number;
  /** The link on which packets come back that the host's input rules let pass. */
  readonly detourBack: string;
}

/** What {@link renderRuleset} makes a table of. */
export interface RulesetContent {
  readonly networks: readonly BridgeRules[];
  readonly ports: readonly PortRule[];
  /** Interface index of the detour's way out; undefined where no network asks the host. */
  readonly detourIndex: number | undefined;
}

/**
 * The whole table as one nft script that replaces what was there, atomically. Published ports are elements of maps, so a
 * packet costs two lookups however many ports there are. Order of the forward chain: answers and packets inside a
 * network and to published ports pass; other packets between networks or from outside are dropped; what leaves a network
 * passes unless it is internal. The chain runs just before the usual filter chains and marks what it lets through, so
 * that a foreign chain with policy drop can be told by one rule to respect that (docs/decisions/011-host-firewall.md).
 */
export function renderRuleset(names: RulesetNames, { networks, ports, detourIndex }: RulesetContent): string {
  const { table, group, mark } = names;
  const asksHost = detourIndex !== undefined;
  const lines = [
    removalScript(table),
    `table inet ${table} {`,
    ' map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }',
    ' map one4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }',
    ' map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }',
    ' map one6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }',
    ' set masquerade4 { type ipv4_addr; flags interval; }',
    ' set masquerade6 { type ipv6_addr; flags interval; }',
    ' set own4 { type ipv4_addr; flags interval; }',
    ' set own6 { type ipv6_addr; flags interval; }',
    ' set direct4 { type ipv4_addr . inet_proto . inet_service; }',
    ' set direct6 { type ipv6_addr . inet_proto . inet_service; }',
    ' set routed { type nf_proto . ifname; }',
    ' set unprotected { type nf_proto . ifname; }',
    ' set internal { type ifname; }',
    ' set inside { type ifname . ifname; }',
    ' set ask_any4 { type inet_proto . inet_service; }',
    ' set ask_one4 { type ipv4_addr . inet_proto . inet_service; }',
    ' set ask_any6 { type inet_proto . inet_service; }',
    ' set ask_one6 { type ipv6_addr . inet_proto . inet_service; }',
    ' chain publish {',
    '  meta nfproto ipv4 dnat ip to ip daddr . meta l4proto . th dport map @one4',
    '  meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @any4',
    '  ip6 daddr ::1 return',
    '  meta nfproto ipv6 dnat ip6 to ip6 daddr . meta l4proto . th dport map @one6',
    '  meta nfproto ipv6 fib daddr type local dnat ip6 to meta l4proto . th dport map @any6',
    ' }',
    ...(asksHost ? askingChains(names) : []),
    ' chain raw {',
    '  type filter hook prerouting priority raw; policy accept;',
    // route_localnet on the bridges would otherwise let a container reach the host's loopback.
    `  iifgroup ${group} ip daddr 127.0.0.0/8 drop`,
    ' }',
    ' chain prerouting {',
    '  type nat hook prerouting priority dstnat; policy accept;',
    ...(asksHost ? [`  iifname != "${names.detourBack}" ${PROTOCOLS} jump untranslated`] : []),
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
    '  ip daddr . meta l4proto . th dport @direct4 goto pass',
    '  ip6 daddr . meta l4proto . th dport @direct6 goto pass',
    '  meta l4proto { icmp, ipv6-icmp } meta nfproto . oifname @routed goto pass',
    `  iifgroup != ${group} meta nfproto . oifname @unprotected goto pass`,
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
    ...(asksHost ? againTables(table, detourIndex) : []),
    ...networks.flatMap((network) => networkElements(table, 'add', network)),
    ...ports.flatMap((port) => portElements(table, 'add', port)),
  ];
  return lines.join('\n');
}

/** The script that removes all tables of an instance, whether they are there or not. */
export function removalScript(table: string): string {
  return FAMILIES.map((family) => `table ${family} ${table} {}\ndelete table ${family} ${table}`).join('\n');
}

/** Families in which an instance may have a table; `ip` and `ip6` only where the host's input rules are asked. */
export const FAMILIES = ['inet', 'ip', 'ip6'] as const;

/**
 * Asking the host. A new connection to such a port is not translated at first, so it goes where it would go if a program
 * of the host listened: through every chain on the input hook. What has passed them all meets `judged`, behind the
 * usual priorities of others, and is marked; `againTables` sends it in once more, over the detour link, and this time it is
 * translated. Later packets of the connection are translated as its first was. What is dropped or rejected on the way
 * never gets here. Connections from the host itself are translated on the output hook and not asked about.
 */
function askingChains({ detourBack }: RulesetNames): string[] {
  const match = (verdict: string) => [
    `  ip daddr . meta l4proto . th dport @ask_one4 ${verdict}`,
    `  meta nfproto ipv4 fib daddr type local meta l4proto . th dport @ask_any4 ${verdict}`,
    `  ip6 daddr . meta l4proto . th dport @ask_one6 ${verdict}`,
    `  meta nfproto ipv6 fib daddr type local meta l4proto . th dport @ask_any6 ${verdict}`,
  ];
  return [
    ' chain untranslated {',
    ...match('accept'),
    ' }',
    ' chain back {',
    '  type filter hook prerouting priority raw; policy accept;',
    `  iifname "${detourBack}" meta mark set meta mark and ${hex(~AGAIN_MARK >>> 0)}`,
    ' }',
    ' chain judged {',
    `  type filter hook input priority ${AFTER_ALL}; policy accept;`,
    `  iifname != { "lo", "${detourBack}" } ct state new ${PROTOCOLS} jump pass_again`,
    ' }',
    ' chain pass_again {',
    ...match(`meta mark set meta mark or ${hex(AGAIN_MARK)}`),
    ' }',
  ];
}

/** `dup` exists in the families ip and ip6 alone (nft(8)), so what is sent again takes a table in each. */
function againTables(table: string, out: number): string[] {
  return (
    [
      ['ip', '169.254.0.1'],
      ['ip6', 'fe80::1'],
    ] as const
  ).flatMap(([version, nextHop]) => [
    `table ${version} ${table} {`,
    ' chain again {',
    `  type filter hook input priority ${AFTER_ALL + 1}; policy accept;`,
    `  meta mark and ${hex(AGAIN_MARK)} == ${hex(AGAIN_MARK)} jump send`,
    ' }',
    ' chain send {',
    `  dup to ${nextHop} device ${out}`,
    '  drop',
    ' }',
    '}',
  ]);
}

/** Bit of the mark of a packet that is about to take the detour. */
const AGAIN_MARK = 0x4000000;
/** Behind filter (0), security (50) and source NAT (100) of the input hook, before connections are confirmed. */
const AFTER_ALL = 290;
const PROTOCOLS = 'meta l4proto { tcp, udp, sctp }';

/** Script lines that add or take one network's elements. */
export function networkElements(table: string, verb: 'add' | 'delete', network: BridgeRules): string[] {
  const element = (set: string, value: string) => `${verb} element inet ${table} ${set} { ${value} }`;
  const name = `"${network.bridge}"`;
  const lines: string[] = [];
  if (network.internal) lines.push(element('internal', name));
  if (network.icc) lines.push(element('inside', `${name} . ${name}`));
  for (const version of network.routed) lines.push(element('routed', `ipv${version} . ${name}`));
  for (const version of network.unprotected) lines.push(element('unprotected', `ipv${version} . ${name}`));
  for (const subnet of network.subnets) {
    lines.push(element(`own${family(subnet)}`, subnet));
    const translates = network.masquerade && !network.internal && !network.routed.includes(family(subnet));
    if (translates) lines.push(element(`masquerade${family(subnet)}`, subnet));
  }
  return lines;
}

/** Script lines that add or take one published port. */
export function portElements(table: string, verb: 'add' | 'delete', port: PortRule): string[] {
  const { protocol, containerPort, hostAddress, hostPort } = port.binding;
  const version = family(port.target);
  if (hostPort === 0) {
    return [`${verb} element inet ${table} direct${version} { ${port.target} . ${protocol} . ${containerPort} }`];
  }
  const any = hostAddress === '0.0.0.0' || hostAddress === '::';
  const key = any ? `${protocol} . ${hostPort}` : `${hostAddress} . ${protocol} . ${hostPort}`;
  const name = `${any ? 'any' : 'one'}${version}`;
  const lines = [`${verb} element inet ${table} ${name} { ${key} : ${port.target} . ${containerPort} }`];
  if (port.asksHost) lines.push(`${verb} element inet ${table} ask_${name} { ${key} }`);
  return lines;
}

function family(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
