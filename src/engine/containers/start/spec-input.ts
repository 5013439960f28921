import { posix } from 'node:path';
import type { Account, RuntimeMount } from '#oci';
import { resolveCapabilities, resolveSeccomp, type SpecInput } from '#runtime';
import type { HostSettings } from '../container.ts';
import type { LiveContainer } from '../live-container.ts';

import { findDevices, parseDeviceRules } from './devices.ts';
import { type HostAbilities, runtimeResources } from './resources.ts';
import { parseSecurityOptions, type SecurityOptions } from './security-options.ts';

/** What start has found out before the spec is written. */
export interface SpecParts {
  readonly rootfs: string;
  readonly user: Account;
  readonly mounts: readonly RuntimeMount[];
  readonly namespaces: SpecInput['namespaces'];
  readonly cgroupParent: string;
  /** Program for `--init`. */
  readonly initPath: string;
  readonly initByDefault: boolean;
  readonly host: HostAbilities;
  /** Variables of links, which the container's own replace. */
  readonly linkEnvironment: readonly string[];
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Turns settings and what start found into the runtime room's input. Throws `invalid` for devices that do not exist. */
export async function specInput(container: LiveContainer, parts: SpecParts): Promise<SpecInput> {
  const { settings } = container;
  const { host, process } = settings;
  const security = parseSecurityOptions(host.securityOpt);
  const open = security.openPaths ? [] : undefined;
  const maskedPaths = host.maskedPaths ?? open;
  const readonlyPaths = host.readonlyPaths ?? open;
  const [height, width] = host.consoleSize;
  return {
    rootfs: parts.rootfs,
    readonlyRootfs: host.readonlyRootfs,
    hostname: settings.hostname,
    ...(settings.domainname === '' ? {} : { domainname: settings.domainname }),
    process: {
      args: [...(process.entrypoint ?? []), ...(process.cmd ?? [])],
      env: environment(container, parts.user, parts.linkEnvironment),
      cwd: process.workingDir || '/',
      uid: parts.user.uid,
      gid: parts.user.gid,
      additionalGids: parts.user.additionalGids,
      terminal: process.tty,
      ...(process.tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    },
    mounts: parts.mounts,
    namespaces: parts.namespaces,
    security: {
      privileged: host.privileged,
      capAdd: host.capAdd,
      capDrop: host.capDrop,
      seccomp: chooseSeccomp(security, host),
      noNewPrivileges: security.noNewPrivileges,
      ...(security.apparmorProfile ? { apparmorProfile: security.apparmorProfile } : {}),
      ...(security.writableCgroups ? { writableCgroups: true } : {}),
      ...(maskedPaths ? { maskedPaths } : {}),
      ...(readonlyPaths ? { readonlyPaths } : {}),
    },
    resources: await runtimeResources(host.resources, parts.host),
    devices: await findDevices(host.devices),
    deviceRules: parseDeviceRules(host.deviceCgroupRules),
    ulimits: host.resources.ulimits ?? [],
    sysctls: host.sysctls,
    oomScoreAdj: host.oomScoreAdj,
    shmSize: host.ipcMode === 'none' ? 0 : host.shmSize,
    ...((host.init ?? parts.initByDefault) ? { initPath: parts.initPath } : {}),
    cgroupPath: posix.join('/', host.cgroupParent || parts.cgroupParent, container.id),
    annotations: host.annotations,
  };
}

function chooseSeccomp(security: SecurityOptions, host: HostSettings): SpecInput['security']['seccomp'] {
  const { seccomp } = security;
  if (host.privileged) return 'unconfined';
  if (typeof seccomp === 'string') return seccomp;
  return resolveSeccomp(seccomp, {
    capabilities: resolveCapabilities({ add: host.capAdd, drop: host.capDrop, privileged: false }),
  });
}

/** Docker's order: PATH, HOSTNAME, TERM, then the container's own, which replace these; HOME last. */
export function environment(
  container: LiveContainer,
  user: Pick<Account, 'home'>,
  linked: readonly string[] = [],
): string[] {
  const { process, hostname } = container.settings;
  const given = [`PATH=${defaultPath}`, `HOSTNAME=${hostname}`, ...(process.tty ? ['TERM=xterm'] : []), ...linked];
  return mergeEnvironment([...given, ...process.env], [`HOME=${user.home}`]);
}

/** Later entries replace earlier ones of their name in place; a name without `=` removes it; `defaults` fill in. */
export function mergeEnvironment(entries: readonly string[], defaults: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    if (equals < 0) merged.delete(entry);
    else merged.set(entry.slice(0, equals), entry);
  }
  for (const entry of defaults) {
    const name = entry.slice(0, entry.indexOf('='));
    if (!merged.has(name)) merged.set(name, entry);
  }
  return [...merged.values()];
}
