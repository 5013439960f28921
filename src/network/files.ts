/** What /etc/hosts of a container is made of. */
export interface HostsInput {
  readonly hostname: string;
  readonly domainname?: string | undefined;
  /** Own addresses, in the order in which networks were connected. */
  readonly addresses: readonly string[];
  /** `name:address` lines; `host-gateway` has been replaced. */
  readonly extraHosts: readonly string[];
  readonly links: readonly { readonly address: string; readonly names: readonly string[] }[];
}

const LOCAL = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** /etc/hosts, in the order and with the tabs that Docker uses. */
export function renderHosts(input: HostsInput): string {
  const full = input.domainname ? `${input.hostname}.${input.domainname} ${input.hostname}` : input.hostname;
  const lines = [
    ...LOCAL,
    ...input.extraHosts.map((entry) => {
      const at = entry.search(/[:=]/);
      return `${entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1')}\t${entry.slice(0, at)}`;
    }),
    ...input.links.map((link) => `${link.address}\t${link.names.join(' ')}`),
    ...input.addresses.map((address) => `${address}\t${full}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** What resolv.conf settings there are: the host's, and the user's over them. */
export interface ResolvSettings {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads resolv.conf(5) text. The last `search` or `domain` line counts, as for the resolver. */
export function parseResolvConf(text: string): ResolvSettings {
  const servers: string[] = [];
  let search: string[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    else if (keyword === 'search' || keyword === 'domain') search = values;
    else if (keyword === 'options') options.push(...values);
  }
  return { servers, search, options };
}

/** Where names are asked when the host's file names nobody that a container can reach; Docker's choice. */
const PUBLIC_SERVERS = ['8.8.8.8', '8.8.4.4'];

/** True for an address that means the host only to the host itself. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** resolv.conf for a container on the default bridge or without network: the host's servers, those of the user over them. */
export function renderCopiedResolvConf(host: ResolvSettings, user: ResolvSettings, keepLoopback = false): string {
  const reachable = keepLoopback ? host.servers : host.servers.filter((server) => !isLoopback(server));
  const inherited = reachable.length > 0 ? reachable : PUBLIC_SERVERS;
  const merged = merge(host, user);
  const servers = user.servers.length > 0 ? user.servers : inherited;
  return render(servers, merged, [
    "# Based on host file: '/etc/resolv.conf' (legacy)",
    ...(user.servers.length === 0 && reachable.length === 0 ? ['# Used default nameservers.'] : []),
    `# Overrides: [${merged.overrides.join(' ')}]`,
  ]);
}

/** resolv.conf for a container on a user-defined network: our DNS, which asks `forwardTo` on. */
export function renderInternalResolvConf(
  host: ResolvSettings,
  user: ResolvSettings,
  forwardTo: readonly { readonly address: string; readonly fromHost: boolean }[],
): string {
  const merged = merge(host, user);
  const ndots = merged.options.some((option) => option.startsWith('ndots:'));
  const options = ndots ? merged.options : [...merged.options, 'ndots:0'];
  const origin = user.options.some((option) => option.startsWith('ndots:')) ? 'override' : ndots ? 'host' : 'internal';
  const external = forwardTo.map((server) => (server.fromHost ? `host(${server.address})` : server.address));
  return render(['127.0.0.11'], { ...merged, options }, [
    "# Based on host file: '/etc/resolv.conf' (internal resolver)",
    ...(external.length > 0 ? [`# ExtServers: [${external.join(' ')}]`] : []),
    `# Overrides: [${merged.overrides.join(' ')}]`,
    `# Option ndots from: ${origin}`,
  ]);
}

/** The servers that the engine's DNS asks for names it does not know: the user's, else the host's (loopback ones too). */
export function forwardServers(
  host: ResolvSettings,
  user: ResolvSettings,
): { readonly address: string; readonly fromHost: boolean }[] {
  if (user.servers.length > 0) return user.servers.map((address) => ({ address, fromHost: false }));
  const servers = host.servers.length > 0 ? host.servers : PUBLIC_SERVERS;
  return servers.map((address) => ({ address, fromHost: true }));
}

function merge(host: ResolvSettings, user: ResolvSettings) {
  const overrides: string[] = [];
  if (user.servers.length > 0) overrides.push('nameservers');
  if (user.search.length > 0) overrides.push('search');
  if (user.options.length > 0) overrides.push('options');
  // A single "." means: no search list at all.
  const search = user.search.length > 0 ? user.search.filter((domain) => domain !== '.') : host.search;
  return { search, options: user.options.length > 0 ? user.options : host.options, overrides };
}

function render(
  servers: readonly string[],
  settings: { readonly search: readonly string[]; readonly options: readonly string[] },
  notes: readonly string[],
): string {
  const lines = [
    '# Generated by Berth for this container.',
    '# Edit it as you like: a changed file is left alone from then on.',
    '',
    ...servers.map((server) => `nameserver ${server}`),
    ...(settings.search.length > 0 ? [`search ${settings.search.join(' ')}`] : []),
    ...(settings.options.length > 0 ? [`options ${settings.options.join(' ')}`] : []),
    '',
    ...notes,
  ];
  return `${lines.join('\n')}\n`;
}
