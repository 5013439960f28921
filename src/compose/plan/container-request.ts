import { readFileSync } from 'node:fs';
import type { ContainerCreateRequest, HealthConfig, HostConfig, RestartPolicy } from '#api-types';
import { invalid, messageOf, parseDuration } from '#base';
import type { Healthcheck, Project, Service } from '../model/index.ts';
import { endpointsOf, exposedPorts, portBindings } from './endpoints.ts';
import { composeVersion, labels } from './labels.ts';
import { type InheritedMounts, mountsOf } from './mounts.ts';
import { imageName } from './names.ts';
import { type FindContainers, linksOf, resolveReferences, volumesFrom } from './references.ts';
import { resourcesOf } from './resources.ts';

/** All that the body of a container's creation depends on beside the service. */
export interface ContainerRequestContext {
  readonly project: Project;
  readonly number: number;
  /** The final name. */
  readonly name: string;
  readonly find: FindContainers;
  /** Config hash of a service whose references are resolved. */
  readonly hash: (service: Service) => string;
  /** Id of the service's image, where it is known. */
  readonly imageId?: string | undefined;
  readonly inherited?: InheritedMounts | undefined;
  /** Name of the container replaced. */
  readonly replaces?: string | undefined;
  /** Set for `run`: a container of its own, not one of the service's. */
  readonly oneOff?: { readonly slug: string; readonly useAliases: boolean; readonly stdin: boolean } | undefined;
}

function health(check: Healthcheck | undefined): HealthConfig | undefined {
  if (check === undefined) return undefined;
  if (check.disable) return { Test: ['NONE'] };
  const time = (text: string | undefined): number | undefined => (text ? parseDuration(text) : undefined);
  const config: HealthConfig = {};
  if (check.test !== undefined) config.Test = check.test;
  const interval = time(check.interval);
  const timeout = time(check.timeout);
  const startPeriod = time(check.start_period);
  const startInterval = time(check.start_interval);
  if (interval !== undefined) config.Interval = interval;
  if (timeout !== undefined) config.Timeout = timeout;
  if (startPeriod !== undefined) config.StartPeriod = startPeriod;
  if (startInterval !== undefined) config.StartInterval = startInterval;
  if (check.retries !== undefined) config.Retries = check.retries;
  return config;
}

const restartNames: Readonly<Record<string, RestartPolicy['Name']>> = {
  none: 'no',
  no: 'no',
  'on-failure': 'on-failure',
  'unless-stopped': 'unless-stopped',
  any: 'always',
  always: 'always',
};

function restartPolicy(service: Service): RestartPolicy {
  const policy = service.deploy?.restart_policy;
  if (policy !== undefined) {
    return {
      Name: restartNames[policy.condition || 'any'] ?? 'no',
      MaximumRetryCount: policy.max_attempts ?? 0,
    };
  }
  const [name = '', count = '0'] = (service.restart ?? '').split(':');
  return { Name: restartNames[name] ?? '', MaximumRetryCount: Number(count) || 0 };
}

/** `security_opt` with seccomp profiles read in; `systempaths=unconfined` is a field of its own in the API. */
function security(service: Service): Partial<HostConfig> {
  const options: string[] = [];
  let open = false;
  for (const text of service.security_opt ?? []) {
    const profile = /^seccomp[=:](.*)$/.exec(text)?.[1];
    if (text === 'systempaths=unconfined') open = true;
    else if (profile === undefined || profile === 'unconfined' || profile === 'builtin') options.push(text);
    else {
      try {
        options.push(`seccomp=${JSON.stringify(JSON.parse(readFileSync(profile, 'utf8')))}`);
      } catch (error) {
        throw invalid(`service "${service.name}": opening seccomp profile (${profile}) failed: ${messageOf(error)}`);
      }
    }
  }
  return {
    SecurityOpt: options.length > 0 ? options : null,
    ...(open ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
  };
}

function tmpfs(service: Service): Record<string, string> | undefined {
  if (service.tmpfs === undefined || service.tmpfs.length === 0) return undefined;
  return Object.fromEntries(
    service.tmpfs.map((text) => {
      const colon = text.indexOf(':');
      return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
    }),
  );
}

function capability(name: string): string {
  const upper = name.toUpperCase();
  return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

/** Namespaces and what belongs to them, in the form in which references name containers. */
function namespaces(service: Service, resolved: Service, mode: string): Partial<HostConfig> {
  return {
    NetworkMode: mode,
    CgroupnsMode: service.cgroup === 'host' || service.cgroup === 'private' ? service.cgroup : '',
    IpcMode: resolved.ipc ?? '',
    PidMode: resolved.pid ?? '',
    UTSMode: service.uts ?? '',
    UsernsMode: service.userns_mode ?? '',
    Isolation: service.isolation ?? '',
  };
}

/** How the container finds names. */
function nameResolution(service: Service, links: readonly string[]): Partial<HostConfig> {
  return {
    Dns: service.dns ?? null,
    DnsOptions: service.dns_opt ?? null,
    DnsSearch: service.dns_search ?? null,
    ExtraHosts: (service.extra_hosts ?? []).map((text) => text.replace('=', ':')),
    Links: links.length > 0 ? [...links] : null,
  };
}

function hostConfig(
  service: Service,
  resolved: Service,
  parts: { context: ContainerRequestContext; mode: string; links: string[] },
): Partial<HostConfig> {
  const { context, mode, links } = parts;
  const { binds, mounts } = mountsOf(service, context.project, context.inherited);
  const temporary = tmpfs(service);
  return {
    ...resourcesOf(service),
    ...security(service),
    ...namespaces(service, resolved, mode),
    ...nameResolution(service, links),
    Binds: binds.length > 0 ? binds : null,
    ...(mounts.length > 0 ? { Mounts: mounts } : {}),
    CapAdd: service.cap_add?.map(capability) ?? null,
    CapDrop: service.cap_drop?.map(capability) ?? null,
    ...(service.init === undefined ? {} : { Init: service.init }),
    ReadonlyRootfs: service.read_only ?? false,
    RestartPolicy: context.oneOff ? { Name: '', MaximumRetryCount: 0 } : restartPolicy(service),
    ShmSize: Number(service.shm_size ?? 0),
    ...(service.sysctls ? { Sysctls: service.sysctls } : {}),
    PortBindings: portBindings(service),
    VolumeDriver: service.volume_driver ?? '',
    VolumesFrom: volumesFrom(service, resolved),
    ...(service.storage_opt ? { StorageOpt: service.storage_opt } : {}),
    GroupAdd: service.group_add ?? null,
    OomScoreAdj: service.oom_score_adj ?? 0,
    Privileged: service.privileged ?? false,
    LogConfig: { Type: service.logging?.driver ?? '', Config: service.logging?.options ?? null },
    ...(temporary ? { Tmpfs: temporary } : {}),
    ...(service.runtime ? { Runtime: service.runtime } : {}),
    ...(service.annotations ? { Annotations: service.annotations } : {}),
  };
}

/** The value of the depends_on label: `SERVICE:CONDITION:RESTART`, comma-separated. */
export function dependsOnLabel(service: Service): string {
  return Object.entries(service.depends_on ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, dependency]) => `${name}:${dependency.condition}:${dependency.restart === true}`)
    .join(',');
}

function labelsOf(service: Service, resolved: Service, context: ContainerRequestContext): Record<string, string> {
  const { project, number, oneOff, imageId, replaces } = context;
  return {
    ...service.labels,
    [labels.project]: project.name,
    [labels.service]: service.name,
    [labels.version]: composeVersion,
    [labels.workingDir]: project.workingDir,
    [labels.configFiles]: project.composeFiles.join(','),
    ...(project.envFiles.length > 0 ? { [labels.environmentFile]: project.envFiles.join(',') } : {}),
    [labels.oneOff]: oneOff ? 'True' : 'False',
    ...(oneOff ? { [labels.slug]: oneOff.slug } : { [labels.number]: String(number) }),
    [labels.configHash]: context.hash(resolved),
    [labels.dependsOn]: dependsOnLabel(service),
    ...(imageId === undefined ? {} : { [labels.image]: imageId }),
    ...(replaces === undefined ? {} : { [labels.replace]: replaces }),
  };
}

/** The body of POST /containers/create for one container of a service; what docker compose sends. Throws `invalid`. */
export function containerRequest(service: Service, context: ContainerRequestContext): ContainerCreateRequest {
  const resolved = resolveReferences(service, context.find);
  const links = linksOf(service, context.find);
  const { oneOff } = context;
  const aliases = oneOff && !oneOff.useAliases ? [context.name] : [context.name, service.name];
  const network = endpointsOf(resolved, context.project, { aliases, links });
  const ports = exposedPorts(service);
  const check = health(service.healthcheck);
  const environment = Object.entries(service.environment ?? {}).map(([key, value]) =>
    value === null ? key : `${key}=${value}`,
  );
  return {
    Hostname: service.hostname ?? '',
    Domainname: service.domainname ?? '',
    User: service.user ?? '',
    AttachStdin: oneOff?.stdin ?? false,
    AttachStdout: true,
    AttachStderr: true,
    ...(ports ? { ExposedPorts: ports } : {}),
    Tty: service.tty ?? false,
    OpenStdin: service.stdin_open ?? false,
    StdinOnce: (oneOff?.stdin ?? false) && (service.stdin_open ?? false),
    Env: environment.length > 0 ? environment : null,
    Cmd: service.command,
    ...(check ? { Healthcheck: check } : {}),
    Image: imageName(context.project, service),
    WorkingDir: service.working_dir ?? '',
    Entrypoint: service.entrypoint,
    Labels: labelsOf(service, resolved, context),
    ...(service.stop_signal ? { StopSignal: service.stop_signal } : {}),
    ...(service.stop_grace_period ? { StopTimeout: Math.ceil(parseDuration(service.stop_grace_period) / 1e9) } : {}),
    HostConfig: hostConfig(service, resolved, { context, mode: network.mode, links }),
    ...(Object.keys(network.endpoints).length > 0 ? { NetworkingConfig: { EndpointsConfig: network.endpoints } } : {}),
  };
}
