import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { invalid, type LogLevel, messageOf } from '#base';

/** How this daemon is set up: flags over config file over defaults. */
export interface DaemonConfig {
  /** Everything durable. Default `/var/lib/berth`. */
  readonly dataRoot: string;
  /** Everything that ends with the boot. Default `/run/berth`. */
  readonly execRoot: string;
  /** `unix:///path` or `tcp://address:port`. */
  readonly hosts: readonly string[];
  readonly pidfile: string | undefined;
  /** Group of the unix socket; `docker`, then `berth`, if there is one. */
  readonly group: string | undefined;
  readonly logLevel: LogLevel;
  /** Name of the default bridge and its address in CIDR form. */
  readonly bridge: string | undefined;
  readonly bip: string | undefined;
  /** Whether the host's input rules decide about published ports. */
  readonly firewall: 'open' | 'host';
  /** Whether a rule is added to chains of the host that drop forwarded packets. */
  readonly forwardDrop: 'admit' | 'leave';
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** Where a registry of the daemon's own listens (HOST:PORT), and the file with its further settings. */
  readonly registryAddr: string | undefined;
  readonly registryConfig: string | undefined;
  readonly dns: readonly string[];
  readonly labels: readonly string[];
  /** OCI runtimes beside crun and runc. */
  readonly runtimes: readonly { readonly name: string; readonly path: string; readonly args: readonly string[] }[];
  readonly defaultRuntime: string | undefined;
  readonly cgroupParent: string | undefined;
  /** Versions of a tag that image prune keeps. */
  readonly imageVersions: number;
  /** For containers that name no log driver. */
  readonly defaultLog: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly tls:
    | { readonly verify: boolean; readonly ca: string; readonly cert: string; readonly key: string }
    | undefined;
  /**
   * Tells this engine's host objects (bridge, nft table, cgroup parent) from those of other engines on the machine:
   * empty for the default data root, else 8 hex digits made from it.
   */
  readonly instance: string;
}

const flags = {
  'config-file': { type: 'string' },
  'data-root': { type: 'string' },
  'exec-root': { type: 'string' },
  host: { type: 'string', short: 'H', multiple: true },
  pidfile: { type: 'string', short: 'p' },
  group: { type: 'string', short: 'G' },
  'log-level': { type: 'string', short: 'l' },
  debug: { type: 'boolean', short: 'D' },
  bridge: { type: 'string', short: 'b' },
  bip: { type: 'string' },
  'default-address-pool': { type: 'string', multiple: true },
  firewall: { type: 'string' },
  'forward-drop': { type: 'string' },
  'registry-addr': { type: 'string' },
  'registry-config': { type: 'string' },
  'registry-mirror': { type: 'string', multiple: true },
  'insecure-registry': { type: 'string', multiple: true },
  dns: { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  'add-runtime': { type: 'string', multiple: true },
  'default-runtime': { type: 'string' },
  'cgroup-parent': { type: 'string' },
  'image-versions': { type: 'string' },
  'log-driver': { type: 'string' },
  'log-opt': { type: 'string', multiple: true },
  tls: { type: 'boolean' },
  tlsverify: { type: 'boolean' },
  tlscacert: { type: 'string' },
  tlscert: { type: 'string' },
  tlskey: { type: 'string' },
  validate: { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Text of `berthd --help`. */
export const usage = `Usage:  berthd [OPTIONS]

The Berth daemon. Takes dockerd's options where they mean the same.

Options:
      --add-runtime stringArray       Further OCI runtime: name=path (in the config file: "runtimes")
      --bip string                    Address of the default bridge in CIDR form
  -b, --bridge string                 Name of the default bridge
      --cgroup-parent string          Cgroup that holds all containers
      --config-file string            JSON file with the same settings (default "/etc/berth/daemon.json")
      --data-root string              Directory of everything durable (default "/var/lib/berth")
  -D, --debug                         Same as --log-level debug
      --default-address-pool stringArray  Pool for new networks: base=CIDR,size=PREFIX
      --default-runtime string        OCI runtime: crun, runc or one added
      --dns stringArray               DNS server of containers
      --exec-root string              Directory of everything that ends with the boot (default "/run/berth")
      --firewall string               host: the host's input rules decide who reaches published ports (default "open")
      --forward-drop string           leave: add no rule to a chain of the host that drops forwarded packets
                                      (default "admit")
  -G, --group string                  Group of the unix socket (default: docker or berth, if there is one)
  -H, --host stringArray              Where to listen: unix:///path or tcp://address:port
      --image-versions number         Versions of a tag that image prune keeps (default 0: none)
      --insecure-registry stringArray Registry (host:port or CIDR) without verified TLS
      --label stringArray             Label of this engine: key=value
  -l, --log-level string              debug, info, warn or error (default "info")
      --log-driver string             Log driver of containers that name none (default "json-file")
      --log-opt stringArray           Default option of container logs: key=value
  -p, --pidfile string                File that gets the daemon's pid
      --registry-addr string          Also serve a registry at HOST:PORT, kept in DATA-ROOT/registry
      --registry-config string        Settings of that registry (see berth registry serve)
      --registry-mirror stringArray   Mirror asked before Docker Hub
      --tls, --tlsverify              TLS on tcp hosts; with --tlsverify clients need a certificate of --tlscacert
      --tlscacert, --tlscert, --tlskey string  PEM files (default in ~/.docker)
      --validate                      Check the settings and exit
  -v, --version                       Print the version and exit
`;

/** What the command line asks for. */
export type Invocation =
  | { readonly run: 'help' | 'version' | 'validate' }
  | { readonly run: 'daemon'; readonly config: DaemonConfig };

/** Reads flags and config file. Throws `invalid` naming the flag or key. */
export function readInvocation(argv: readonly string[]): Invocation {
  const values = parseFlags(argv);
  if (values.help) return { run: 'help' };
  if (values.version) return { run: 'version' };
  const file = readConfigFile(values['config-file']);
  const config = resolveConfig(values, file);
  return values.validate ? { run: 'validate' } : { run: 'daemon', config };
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, strict: true }).values;
  } catch (error) {
    throw invalid(`${messageOf(error).split('. ')[0]}; see berthd --help`);
  }
}
type Flags = ReturnType<typeof parseFlags>;

/** The JSON file, with dockerd's keys. A missing default file is empty; a missing named one is an error. */
function readConfigFile(named: string | undefined): Record<string, unknown> {
  const path = named ?? '/etc/berth/daemon.json';
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (named === undefined) return {};
    throw invalid(`--config-file ${path}: ${messageOf(error)}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw invalid(`${path}: ${messageOf(error)}`);
  }
  throw invalid(`${path}: want one JSON object`);
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** Reads the keys of the config file with their types; the file is a user's, so nothing is taken on trust. */
class FileSettings {
  readonly #values: Record<string, unknown>;

  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  text(key: string): string | undefined {
    const value = this.#values[key];
    if (value === undefined || isText(value)) return value;
    throw invalid(`config file: "${key}" must be a string`);
  }

  texts(key: string): string[] | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every(isText)) return value;
    throw invalid(`config file: "${key}" must be a list of strings`);
  }

  flag(key: string): boolean | undefined {
    const value = this.#values[key];
    if (value === undefined || typeof value === 'boolean') return value;
    throw invalid(`config file: "${key}" must be true or false`);
  }

  number(key: string): number | undefined {
    const value = this.#values[key];
    if (value === undefined || typeof value === 'number') return value;
    throw invalid(`config file: "${key}" must be a number`);
  }

  pools(): { base: string; size: number }[] | undefined {
    const value = this.#values['default-address-pools'];
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw invalid('config file: "default-address-pools" must be a list');
    return value.map((pool: { base?: unknown; size?: unknown } | null) => {
      if (isText(pool?.base) && Number.isInteger(pool.size)) return { base: pool.base, size: Number(pool.size) };
      throw invalid('config file: each of "default-address-pools" needs "base" (CIDR) and "size" (prefix length)');
    });
  }

  /** dockerd's `runtimes`: name to `path` and `runtimeArgs`. */
  runtimes(): { name: string; path: string; args: string[] }[] {
    const value = this.#values.runtimes ?? {};
    const bad = 'config file: "runtimes" must be an object of {"path": "...", "runtimeArgs": ["..."]}';
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(bad);
    return Object.entries(value).map(([name, runtime]: [string, { path?: unknown; runtimeArgs?: unknown } | null]) => {
      const args = runtime?.runtimeArgs ?? [];
      if (!isText(runtime?.path) || !Array.isArray(args) || !args.every(isText)) throw invalid(bad);
      return { ...addedRuntime(`${name}=${runtime.path}`), args };
    });
  }

  pairs(key: string): Record<string, string> | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    const pairs = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    if (pairs.every(([, text]) => isText(text)) && !Array.isArray(value)) return Object.fromEntries(pairs);
    throw invalid(`config file: "${key}" must be an object of strings`);
  }
}

function resolveConfig(values: Flags, settings: Record<string, unknown>): DaemonConfig {
  const file = new FileSettings(settings);
  const dataRoot = resolve(values['data-root'] ?? file.text('data-root') ?? '/var/lib/berth');
  const execRoot = resolve(values['exec-root'] ?? file.text('exec-root') ?? '/run/berth');
  const hosts = values.host ?? file.texts('hosts') ?? [`unix://${execRoot}/berth.sock`];
  for (const host of hosts) checkHost(host);
  return {
    dataRoot,
    execRoot,
    hosts,
    pidfile: values.pidfile ?? file.text('pidfile'),
    group: values.group ?? file.text('group'),
    logLevel: values.debug || file.flag('debug') ? 'debug' : logLevel(values['log-level'] ?? file.text('log-level')),
    bridge: values.bridge ?? file.text('bridge'),
    bip: values.bip ?? file.text('bip'),
    addressPools: values['default-address-pool']?.map(addressPool) ?? file.pools() ?? [],
    firewall: oneOf('firewall', values.firewall ?? file.text('firewall'), ['open', 'host']),
    forwardDrop: oneOf('forward-drop', values['forward-drop'] ?? file.text('forward-drop'), ['admit', 'leave']),
    registryMirrors: values['registry-mirror'] ?? file.texts('registry-mirrors') ?? [],
    insecureRegistries: values['insecure-registry'] ?? file.texts('insecure-registries') ?? [],
    registryAddr: values['registry-addr'] ?? file.text('registry-addr'),
    registryConfig: values['registry-config'] ?? file.text('registry-config'),
    dns: values.dns ?? file.texts('dns') ?? [],
    labels: values.label ?? file.texts('labels') ?? [],
    runtimes: [...file.runtimes(), ...(values['add-runtime'] ?? []).map(addedRuntime)],
    defaultRuntime: values['default-runtime'] ?? file.text('default-runtime'),
    cgroupParent: values['cgroup-parent'] ?? file.text('cgroup-parent'),
    imageVersions: count('image-versions', values['image-versions'] ?? file.number('image-versions') ?? 0),
    defaultLog: logChoice(values, file),
    tls: tlsFiles(values, file),
    instance: dataRoot === '/var/lib/berth' ? '' : createHash('sha256').update(dataRoot).digest('hex').slice(0, 8),
  };
}

function logChoice(values: Flags, file: FileSettings): DaemonConfig['defaultLog'] {
  return {
    driver: values['log-driver'] ?? file.text('log-driver') ?? 'json-file',
    options: { ...file.pairs('log-opts'), ...Object.fromEntries((values['log-opt'] ?? []).map(pair)) },
  };
}

/** `name=path`. The names of those that are always there cannot be taken, as in dockerd. */
function addedRuntime(text: string): { name: string; path: string; args: string[] } {
  const [, name = '', path = ''] = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(text) ?? [];
  if (name === '') throw invalid(`--add-runtime ${text}: want name=path`);
  if (name === 'crun' || name === 'runc') throw invalid(`--add-runtime ${text}: runtime name '${name}' is reserved`);
  return { name, path, args: [] };
}

function checkHost(host: string): void {
  if (/^unix:\/\/\/./.test(host) || /^tcp:\/\/[^/]*:\d+\/?$/.test(host)) return;
  throw invalid(`--host ${host}: want unix:///path or tcp://address:port`);
}

function count(key: string, value: string | number): number {
  const number = Number(value);
  if (/^\d{1,6}$/.test(String(value))) return number;
  throw invalid(`--${key} ${value}: want a whole number from 0 on`);
}

/** The value of a setting; the first of `choices` where it is not given. */
function oneOf<T extends string>(key: string, value: string | undefined, choices: readonly [T, ...T[]]): T {
  if (value === undefined) return choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw invalid(`--${key} ${value}: want ${choices.join(' or ')}`);
  return choice;
}

function logLevel(text = 'info'): LogLevel {
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text;
  throw invalid(`--log-level ${text}: want debug, info, warn or error`);
}

function pair(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw invalid(`"${text}": want key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function addressPool(text: string): { base: string; size: number } {
  const { base, size } = Object.fromEntries(text.split(',').map(pair)) as { base?: string; size?: string };
  if (base === undefined || !/^\d+$/.test(size ?? '')) {
    throw invalid(`--default-address-pool ${text}: want base=CIDR,size=PREFIX`);
  }
  return { base, size: Number(size) };
}

function tlsFiles(values: Flags, file: FileSettings): DaemonConfig['tls'] {
  const verify = values.tlsverify ?? file.flag('tlsverify') ?? false;
  if (!verify && !(values.tls ?? file.flag('tls'))) return undefined;
  const home = `${process.env.HOME ?? '/root'}/.docker`;
  return {
    verify,
    ca: values.tlscacert ?? file.text('tlscacert') ?? `${home}/ca.pem`,
    cert: values.tlscert ?? file.text('tlscert') ?? `${home}/cert.pem`,
    key: values.tlskey ?? file.text('tlskey') ?? `${home}/key.pem`,
  };
}
