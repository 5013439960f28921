import { readFileSync } from 'node:fs';
import type { ContainerCreateRequest, HostConfig } from '#api-types';
import { invalid, messageOf } from '#base';
import type { FlagValues } from '../flags/index.ts';
import { readEndpoints } from './endpoints.ts';
import { readHealth } from './health-flags.ts';
import { readMountFlag } from './mount-flag.ts';
import { readPorts } from './ports.ts';
import { keyValueMap, readEnvironment, readLabels } from './read-lines.ts';
import { readResources, readRestartPolicy } from './read-resources.ts';
import { readTmpfs, readVolumes } from './volumes-flag.ts';

/** What a container is made from besides its flags. */
export interface RequestContext {
  readonly image: string;
  /** The words after the image. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Rows and columns of the terminal, zeros without one. */
  readonly consoleSize: [number, number];
}

const splitWords = new Set(['STDIN', 'STDOUT', 'STDERR']);

/** Which streams `-a` names. Throws `invalid` with Docker's text. */
function readAttach(words: readonly string[]): Set<string> {
  const streams = new Set<string>();
  for (const word of words) {
    const name = word.toUpperCase();
    if (!splitWords.has(name)) throw invalid('invalid argument: valid streams are STDIN, STDOUT and STDERR');
    streams.add(name.toLowerCase());
  }
  return streams;
}

function optional<T>(list: T[]): T[] | null {
  return list.length === 0 ? null : list;
}

/** `--cap-add` words in the kernel's spelling, sorted, each once; `ALL` swallows the others. */
function readCapabilities(words: readonly string[]): string[] {
  const names = words.map((word) => word.trim().toUpperCase()).filter((name) => name !== '');
  if (names.includes('ALL')) return ['ALL'];
  return [...new Set(names.map((name) => (name.startsWith('CAP_') ? name : `CAP_${name}`)))].sort();
}

/** `--add-host` words as the API takes them: `name:ip`, where `name=ip` and brackets are allowed too. */
export function readExtraHosts(words: readonly string[]): string[] {
  return words.map((word) => {
    const at = word.search(/[=:]/);
    if (at <= 0) throw invalid(`bad format for add-host: ${JSON.stringify(word)}`);
    const ip = word.slice(at + 1);
    const bare = ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip;
    return `${word.slice(0, at)}:${bare}`;
  });
}

/** `--security-opt` words; a seccomp profile is read from its file. Throws `invalid` with Docker's texts. */
function readSecurity(words: readonly string[]): { options: string[]; masked?: string[]; readonlyPaths?: string[] } {
  const options: string[] = [];
  let unmask = false;
  for (const word of words) {
    const at = word.search(/[=:]/);
    const key = at === -1 ? word : word.slice(0, at);
    const value = at === -1 ? '' : word.slice(at + 1);
    if (word === 'systempaths=unconfined') unmask = true;
    else if (at === -1 && key !== 'no-new-privileges') throw invalid(`invalid --security-opt: ${JSON.stringify(word)}`);
    else if (key === 'seccomp' && value !== 'unconfined' && value !== 'builtin') {
      try {
        options.push(`seccomp=${JSON.stringify(JSON.parse(readFileSync(value, 'utf8')))}`);
      } catch (error) {
        throw invalid(`opening seccomp profile (${value}) failed: ${messageOf(error)}`);
      }
    } else options.push(word);
  }
  return unmask ? { options, masked: [], readonlyPaths: [] } : { options };
}

function checkModes(flags: FlagValues): void {
  const pid = flags.string('pid');
  if (pid !== '' && pid !== 'host' && !pid.startsWith('container:')) throw invalid('--pid: invalid PID mode');
  const uts = flags.string('uts');
  if (uts !== '' && uts !== 'host') throw invalid('--uts: invalid UTS mode');
  const users = flags.string('userns');
  if (users !== '' && users !== 'host') throw invalid('--userns: invalid USER mode');
  const cgroup = flags.string('cgroupns');
  if (cgroup !== '' && cgroup !== 'host' && cgroup !== 'private') throw invalid('--cgroupns: invalid CGROUP mode');
  if (flags.bool('rm') && !['', 'no'].includes(readRestartPolicy(flags.string('restart')).Name)) {
    throw invalid('conflicting options: cannot specify both --restart and --rm');
  }
}

function hostConfig(
  flags: FlagValues,
  context: RequestContext,
  parts: { binds: string[]; mode: string; bindings: HostConfig['PortBindings'] },
): HostConfig {
  const security = readSecurity(flags.list('security-opt'));
  const mounts = flags.list('mount').map((word) => readMountFlag(word, context.cwd));
  const tmpfs = flags.list('tmpfs');
  const storage = flags.list('storage-opt');
  const logOptions = keyValueMap(flags.list('log-opt'));
  if (flags.string('log-driver') === 'none' && Object.keys(logOptions).length > 0) {
    throw invalid(`invalid logging opts for driver none`);
  }
  return {
    Binds: optional(parts.binds),
    ContainerIDFile: flags.string('cidfile'),
    LogConfig: { Type: flags.string('log-driver'), Config: logOptions },
    NetworkMode: parts.mode,
    PortBindings: parts.bindings,
    RestartPolicy: readRestartPolicy(flags.string('restart')),
    AutoRemove: flags.bool('rm'),
    VolumeDriver: flags.string('volume-driver'),
    VolumesFrom: optional(flags.list('volumes-from')),
    ...(mounts.length === 0 ? {} : { Mounts: mounts }),
    ConsoleSize: context.consoleSize,
    ...(flags.list('annotation').length === 0 ? {} : { Annotations: keyValueMap(flags.list('annotation')) }),
    CapAdd: optional(readCapabilities(flags.list('cap-add'))),
    CapDrop: optional(readCapabilities(flags.list('cap-drop'))),
    CgroupnsMode: flags.string('cgroupns') as HostConfig['CgroupnsMode'],
    Dns: flags.list('dns'),
    DnsOptions: flags.list('dns-option'),
    DnsSearch: flags.list('dns-search'),
    ExtraHosts: optional(readExtraHosts(flags.list('add-host'))),
    GroupAdd: optional(flags.list('group-add')),
    IpcMode: flags.string('ipc'),
    Cgroup: '',
    Links: optional(flags.list('link')),
    OomScoreAdj: flags.number('oom-score-adj'),
    PidMode: flags.string('pid'),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: optional(security.options),
    ...(storage.length === 0 ? {} : { StorageOpt: keyValueMap(storage) }),
    ...(tmpfs.length === 0 ? {} : { Tmpfs: readTmpfs(tmpfs) }),
    UTSMode: flags.string('uts'),
    UsernsMode: flags.string('userns'),
    ShmSize: flags.number('shm-size'),
    ...(flags.list('sysctl').length === 0 ? {} : { Sysctls: keyValueMap(flags.list('sysctl')) }),
    Runtime: flags.string('runtime'),
    Isolation: flags.string('isolation'),
    MaskedPaths: security.masked ?? null,
    ReadonlyPaths: security.readonlyPaths ?? null,
    ...(flags.changed('init') ? { Init: flags.bool('init') } : {}),
    ...readResources(flags),
  };
}

/** The body of POST /containers/create for the flags of `run` and `create`. Throws `invalid` with Docker's texts. */
export function containerRequest(flags: FlagValues, context: RequestContext): ContainerCreateRequest {
  checkModes(flags);
  const attach = readAttach(flags.list('attach'));
  const interactive = flags.bool('interactive');
  const all = attach.size === 0;
  const { exposed, bindings } = readPorts(flags.list('publish'), flags.list('expose'));
  const { binds, anonymous } = readVolumes(flags.list('volume'), context.cwd);
  const { mode, endpoints } = readEndpoints(flags);
  const health = readHealth(flags);
  const environment = readEnvironment(flags.list('env-file'), flags.list('env'), context.env);
  const entrypoint = flags.changed('entrypoint') ? [flags.string('entrypoint')] : null;
  const stopSignal = flags.string('stop-signal');
  const attachStdin = attach.has('stdin') || (all && interactive);
  return {
    Hostname: flags.string('hostname'),
    Domainname: flags.string('domainname'),
    User: flags.string('user'),
    AttachStdin: attachStdin,
    AttachStdout: attach.has('stdout') || all,
    AttachStderr: attach.has('stderr') || all,
    ...(Object.keys(exposed).length === 0 ? {} : { ExposedPorts: exposed }),
    Tty: flags.bool('tty'),
    OpenStdin: interactive,
    StdinOnce: interactive && attachStdin,
    Env: environment,
    Cmd: context.words.length === 0 ? null : [...context.words],
    ...(health === undefined ? {} : { Healthcheck: health }),
    Image: context.image,
    Volumes: anonymous,
    WorkingDir: flags.string('workdir'),
    Entrypoint: entrypoint,
    OnBuild: null,
    Labels: readLabels(flags.list('label-file'), flags.list('label')),
    ...(stopSignal === '' ? {} : { StopSignal: stopSignal }),
    ...(flags.changed('stop-timeout') ? { StopTimeout: flags.number('stop-timeout') } : {}),
    HostConfig: hostConfig(flags, context, { binds, mode, bindings }),
    NetworkingConfig: { EndpointsConfig: endpoints },
  };
}
