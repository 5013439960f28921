import { invalid } from '#base';
import type { ContainerRequest, HostSettings, ResourceSettings, RestartPolicy } from '../container.ts';
import { healthPlan } from '../health/health-check.ts';
import { signalNumber } from '../signals.ts';
import { parseSecurityOptions } from '../start/security-options.ts';
import { checkLog } from './log-options.ts';

/** What this host has to give. */
export interface HostLimits {
  readonly cpus: number;
  /** False where the kernel does not account swap: a swap limit is dropped with a warning. */
  readonly swap: boolean;
  /** False where the kernel knows no block I/O weight: it is dropped with a warning. */
  readonly blkioWeight: boolean;
  /** Cgroup namespace of a container that asks for none in particular: Docker's choice depends on the cgroup version. */
  readonly cgroupnsMode: 'private' | 'host';
  /** The lowest oom_score_adj that this daemon may give. */
  readonly leastOomScore: number;
  /** False where the kernel has no AppArmor: a profile asked for is dropped with a warning. */
  readonly apparmor: boolean;
}

const smallestMemory = 6 * 1024 * 1024;

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
  for (const entry of process.env)
    if (entry.startsWith('=') || entry === '') throw invalid(`invalid environment variable: ${entry}`);
  checkHealthcheck(request);
  checkHost(host, limits);
  const profile = parseSecurityOptions(host.securityOpt).apparmorProfile;
  const unheard = profile !== undefined && profile !== 'unconfined' && !limits.apparmor;
  return [...checkResources(host.resources, limits), ...(unheard ? [noAppArmor(profile)] : [])];
}

/** Throws `invalid` for a name Docker would not take either. */
export function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return;
  throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

/** Throws `invalid` for limits that cannot be; returns warnings. Also used by update. */
export function checkResources(resources: ResourceSettings, limits: HostLimits): string[] {
  checkMemory(resources);
  checkCpu(resources, limits);
  const { memory = 0, blkioWeight = 0 } = resources;
  if (blkioWeight !== 0 && (blkioWeight < 10 || blkioWeight > 1000)) {
    throw invalid('Range of blkio weight is from 10 to 1000');
  }
  for (const { name, soft, hard } of resources.ulimits ?? []) {
    if (hard !== -1 && (soft > hard || soft === -1)) {
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${name}: ${soft} > ${hard}`);
    }
  }
  return [
    ...(memory > 0 && !limits.swap ? [noSwapLimit] : []),
    ...(blkioWeight > 0 && !limits.blkioWeight ? [noBlkioWeight] : []),
  ];
}

const noSwapLimit =
  'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.';
const noBlkioWeight = 'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.';
const noAppArmor = (profile: string) => `This host has no AppArmor: profile ${profile} discarded.`;

function checkMemory(resources: ResourceSettings): void {
  const { memory = 0, memorySwap = 0, memoryReservation = 0, memorySwappiness } = resources;
  if (memory !== 0 && memory < smallestMemory) throw invalid('Minimum memory limit allowed is 6MB');
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && memorySwap > 0) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (memorySwappiness !== undefined && (memorySwappiness < -1 || memorySwappiness > 100)) {
    throw invalid(`Invalid value: ${memorySwappiness}, valid memory swappiness range is 0-100`);
  }
  if (memoryReservation > 0 && memoryReservation < smallestMemory) {
    throw invalid('Minimum memory reservation allowed is 6MB');
  }
  if (memory > 0 && memoryReservation > memory) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

function checkCpu(resources: ResourceSettings, limits: HostLimits): void {
  const { nanoCpus = 0, cpuPeriod = 0, cpuQuota = 0, cpusetCpus = '', cpusetMems = '', cpuShares = 0 } = resources;
  if (nanoCpus < 0 || nanoCpus > limits.cpus * 1e9) {
    throw invalid(
      `range of CPUs is from 0.01 to ${limits.cpus.toFixed(2)}, as there are only ${limits.cpus} CPUs available`,
    );
  }
  if (nanoCpus > 0 && cpuPeriod > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (nanoCpus > 0 && cpuQuota !== 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (cpuShares < 0) throw invalid(`invalid CPU shares (${cpuShares}): value must be a positive integer`);
  if (cpuPeriod !== 0 && (cpuPeriod < 1000 || cpuPeriod > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (cpuQuota > 0 && cpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  const requested = parseCpuList(cpusetCpus, 'cpuset cpus');
  if (requested.some((cpu) => cpu >= limits.cpus)) {
    const available = limits.cpus > 1 ? `0-${limits.cpus - 1}` : '0';
    throw invalid(`Requested CPUs are not available - requested ${cpusetCpus}, available: ${available}`);
  }
  parseCpuList(cpusetMems, 'cpuset mems');
}

function parseCpuList(text: string, what: string): number[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || to < from || to > 8192) throw invalid(`Invalid value ${text} for ${what}`);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

function checkHost(host: HostSettings, limits: HostLimits): void {
  checkRestartPolicy(host.restart);
  if (host.autoRemove && host.restart.name !== 'no') {
    throw invalid('conflicting options: cannot specify both --restart and --rm');
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
  for (const line of host.extraHosts) {
    if (!/^[^:=]+[:=].+$/.test(line)) throw invalid(`bad format for add-host: "${line}"`);
  }
  checkMode('IPC', host.ipcMode, ['', 'none', 'private', 'shareable', 'host']);
  checkMode('PID', host.pidMode, ['', 'host', 'private']);
  checkMode('UTS', host.utsMode, ['', 'host', 'private']);
  checkMode('User namespace', host.usernsMode, ['', 'host']);
  checkMode('cgroup namespace', host.cgroupnsMode, ['', 'host', 'private']);
  const [option] = Object.keys(host.storageOpt);
  if (option !== undefined) {
    if (option !== 'size') throw invalid(`Unknown option ${option}`);
    throw invalid("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
  if (host.networkMode === 'host' && host.links.length > 0) {
    throw invalid(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  }
  checkLog(host.log);
}

function checkMode(what: string, mode: string, words: readonly string[]): void {
  const shares = what === 'IPC' || what === 'PID';
  if (words.includes(mode) || (shares && /^container:.+/.test(mode))) return;
  throw invalid(`invalid ${what} mode: ${mode}`);
}

/** Throws `invalid` with Docker's texts. */
export function checkRestartPolicy(policy: RestartPolicy): void {
  const { name, maximumRetryCount } = policy;
  if (!['no', 'always', 'on-failure', 'unless-stopped'].includes(name)) {
    throw invalid(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (maximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
  if (maximumRetryCount > 0 && name !== 'on-failure') {
    throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
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
