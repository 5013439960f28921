import { isIP } from 'node:net';
import { invalid } from '#base';
import { resolveCapabilities } from '#runtime';
import type { ContainerRequest, HostSettings, RestartPolicy } from '../container.ts';
import { healthPlan } from '../health/health-check.ts';
import { signalNumber } from '../signals.ts';
import { parseSecurityOptions } from '../start/security-options.ts';
import { checkModes, checkNetworkConflicts } from './check-modes.ts';
import { checkResources, type ResourceLimits } from './check-resources.ts';
import { checkTmpfs } from './check-tmpfs.ts';
import { checkLog } from './log-options.ts';
import { storageOptions } from './storage-options.ts';

/** What this host has to give. */
export interface HostLimits extends ResourceLimits {
  /** Cgroup namespace of a container that asks for none in particular: Docker's choice depends on the cgroup version. */
  readonly cgroupnsMode: 'private' | 'host';
  /** The lowest oom_score_adj that this daemon may give. */
  readonly leastOomScore: number;
  /** False where the kernel has no AppArmor: a profile asked for is dropped with a warning. */
  readonly apparmor: boolean;
}

/**
 * Checks a request before anything is made. Throws `invalid` naming field and value, in Docker's words where there are
 * any. Returns warnings for what the host cannot do but the container can do without.
 */
export function validateRequest(request: ContainerRequest, limits: HostLimits): string[] {
  const { process, host } = request;
  if (request.name !== undefined) checkName(request.name);
  if (process.workingDir !== '' && !process.workingDir.startsWith('/')) {
    throw invalid(`the working directory '${process.workingDir}' is invalid, it needs to be an absolute path`);
  }
  if (process.stopSignal !== '') signalNumber(process.stopSignal);
  for (const entry of process.env) {
    if (entry.startsWith('=') || entry === '') throw invalid(`invalid environment variable: ${entry}`);
  }
  for (const path of request.volumes) {
    if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  }
  checkHealthcheck(request);
  checkHost(host, limits);
  checkNetworkConflicts(request);
  const profile = parseSecurityOptions(host.securityOpt).apparmorProfile;
  const unheard = profile !== undefined && profile !== 'unconfined' && !limits.apparmor;
  return [...checkResources(host.resources, limits), ...(unheard ? [noAppArmor(profile)] : [])];
}

/** Throws `invalid` for a name Docker would not take either. */
export function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return;
  throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

const noAppArmor = (profile: string) => `This host has no AppArmor: profile ${profile} discarded.`;

function checkHost(host: HostSettings, limits: HostLimits): void {
  checkRestartPolicy(host.restart);
  if (host.autoRemove && host.restart.name !== 'no') {
    throw invalid("can't create 'AutoRemove' container with restart policy");
  }
  if (host.shmSize < 0) throw invalid('SHM size can not be less than 0');
  if (host.oomScoreAdj < -1000 || host.oomScoreAdj > 1000) {
    throw invalid(`Invalid value ${host.oomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (host.oomScoreAdj < limits.leastOomScore) {
    throw invalid(
      `Invalid value ${host.oomScoreAdj} for oom score adj: the daemon lacks CAP_SYS_RESOURCE, ` +
        `so ${limits.leastOomScore} is the lowest it can give`,
    );
  }
  // Privileged containers get all, but a name that is none is a mistake there too.
  resolveCapabilities({ add: host.capAdd, drop: host.capDrop, privileged: false });
  for (const server of host.dns) {
    if (isIP(server) === 0)
      throw invalid(`bad nameserver address ${server}: ParseAddr("${server}"): unable to parse IP`);
  }
  checkTmpfs(host.tmpfs);
  checkModes(host);
  storageOptions(host.storageOpt);
  checkLog(host.log);
}

/** Throws `invalid` with Docker's texts. */
export function checkRestartPolicy(policy: RestartPolicy): void {
  const { name, maximumRetryCount } = policy;
  if (!['no', 'always', 'on-failure', 'unless-stopped'].includes(name)) {
    throw invalid(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (maximumRetryCount !== 0 && name !== 'on-failure') {
    const also = maximumRetryCount < 0 ? ' and cannot be negative' : '';
    throw invalid(`invalid restart policy: maximum retry count can only be used with 'on-failure'${also}`);
  }
  if (maximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
}

function checkHealthcheck({ healthcheck, labels }: ContainerRequest): void {
  healthPlan(healthcheck, undefined, labels);
  if (healthcheck === undefined) return;
  const least = 1_000_000;
  for (const [name, value = 0] of [
    ['Interval', healthcheck.Interval],
    ['Timeout', healthcheck.Timeout],
    ['StartPeriod', healthcheck.StartPeriod],
    ['StartInterval', healthcheck.StartInterval],
  ] as const) {
    if (value !== 0 && value < least) throw invalid(`${name} in Healthcheck cannot be less than 1ms`);
  }
  if ((healthcheck.Retries ?? 0) < 0) throw invalid('Retries in Healthcheck cannot be negative');
}
