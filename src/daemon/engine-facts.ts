import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { EngineFacts } from '#api';
import { cdiDirectories } from '#engine';
import { Cgroup, type CgroupLayout, detectCgroups } from '#host';
import type { Runtime } from '#runtime';
import type { DaemonConfig } from './config.ts';

/** Version of this package, as `docker version` shows it. */
export const engineVersion = packageVersion();

/** Everything about the engine and its host that does not change while the daemon runs. */
export async function gatherFacts(
  config: DaemonConfig,
  parts: { runtime: Runtime; engineId: string },
): Promise<EngineFacts> {
  const layout = await detectCgroups();
  const system = await readOsRelease();
  const [runtimes, limits] = [parts.runtime.runtimes, await enforceable(layout)];
  return {
    id: parts.engineId,
    version: engineVersion,
    gitCommit: '',
    buildTime: '',
    components: runtimes.map(({ name, version }) => ({ name, version, details: {} })),
    hostname: hostname(),
    kernelVersion: release(),
    operatingSystem: system.name,
    osVersion: system.version,
    machine: machineNames[arch()] ?? arch(),
    architecture: arch() === 'x64' ? 'amd64' : arch(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    dataRoot: config.dataRoot,
    storage: {
      driver: 'overlay2',
      status: [
        ['Backing Filesystem', fileSystem(config.dataRoot)],
        ['Native Overlay Diff', 'true'],
      ],
    },
    cgroup: { driver: 'cgroupfs', version: layout.kind === 'v2' ? '2' : '1' },
    limits,
    ipv4Forwarding: (await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim() === '1',
    runtimes: runtimes.map(({ name, path }) => ({ name, path })),
    defaultRuntime: runtimes[0]?.name ?? '',
    drivers: {
      volume: ['local'],
      network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
      log: ['journald', 'json-file', 'local', 'none', 'syslog'],
    },
    defaultLogDriver: config.defaultLog.driver,
    cdiDirectories,
    securityOptions: ['name=seccomp,profile=builtin'],
    labels: config.labels,
    registry: { mirrors: config.registryMirrors, insecure: config.insecureRegistries },
    addressPools: config.addressPools,
    firewall: 'nftables',
    debug: config.logLevel === 'debug',
    experimental: false,
    initBinary: 'tini',
    openFiles: 0,
    eventListeners: 0,
    warnings: Object.entries(limits).flatMap(([name, can]) => (can ? [] : [warnings[name] ?? `No ${name} support`])),
  };
}

const machineNames: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  ia32: 'i686',
  ppc64: 'ppc64le',
};

const warnings: Readonly<Record<string, string>> = {
  memory: 'WARNING: No memory limit support',
  swap: 'WARNING: No swap limit support',
  cpuPeriod: 'WARNING: No cpu cfs period support',
  cpuQuota: 'WARNING: No cpu cfs quota support',
  cpuShares: 'WARNING: No cpu shares support',
  cpuSet: 'WARNING: No cpuset support',
  pids: 'WARNING: No pids limit support',
  oomKillDisable: 'WARNING: No oom kill disable support',
};

/** Which limits this kernel enforces: by the control files of the root cgroup (v1) or the controllers there are (v2). */
async function enforceable(layout: CgroupLayout): Promise<EngineFacts['limits']> {
  if (layout.kind === 'v2') {
    const has = (controller: string) => layout.hierarchies[0]?.controllers.includes(controller) ?? false;
    const [memory, cpu] = [has('memory'), has('cpu')];
    const swap = memory && /\nSwapTotal:/.test(await readFile('/proc/meminfo', 'utf8'));
    const common = { cpuPeriod: cpu, cpuQuota: cpu, cpuShares: cpu, cpuSet: has('cpuset'), pids: has('pids') };
    return { memory, swap, ...common, oomKillDisable: false };
  }
  const root = new Cgroup(layout, '/');
  const file = async (controller: string, name: string) => (await root.read(controller, name)) !== undefined;
  const mounted = (controller: string) => layout.hierarchies.some((one) => one.controllers.includes(controller));
  return {
    memory: await file('memory', 'memory.limit_in_bytes'),
    swap: await file('memory', 'memory.memsw.limit_in_bytes'),
    cpuPeriod: await file('cpu', 'cpu.cfs_period_us'),
    cpuQuota: await file('cpu', 'cpu.cfs_quota_us'),
    cpuShares: await file('cpu', 'cpu.shares'),
    cpuSet: await file('cpuset', 'cpuset.cpus'),
    pids: mounted('pids'),
    oomKillDisable: await file('memory', 'memory.oom_control'),
  };
}

async function readOsRelease(): Promise<{ name: string; version: string }> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { name: value('PRETTY_NAME') || 'Linux', version: value('VERSION_ID') };
}

// statfs(2): the magic numbers of file systems that people keep images on.
const fileSystems: Readonly<Record<number, string>> = {
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  801189825: 'zfs',
  2035054128: 'overlayfs',
};

function fileSystem(path: string): string {
  return fileSystems[statfsSync(path).type] ?? 'unknown';
}

/** The id that `docker info` shows, made once per data root. */
export function readEngineId(dataRoot: string): string {
  const path = join(dataRoot, 'engine-id');
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const id = randomUUID();
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
