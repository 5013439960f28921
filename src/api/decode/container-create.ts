import { posix } from 'node:path';
import type { z } from 'zod';
import { invalid } from '#base';
import type { ContainerRequest } from '#engine';
import { decodeEndpoint, isMacAddress, networkingSchema } from './endpoint.ts';
import { bool, command, goObject, int, keySet, stringMap, strings, text } from './go-json.ts';
import { decodeHealthcheck, healthcheckSchema } from './healthcheck.ts';
import { decodeHostConfig, hostConfigSchema, networkMode } from './host-config.ts';
import { checkNetworkConflicts } from './modes.ts';
import { decodeExposedPorts } from './ports.ts';

/** Fields of a container's config, also sent with commit. */
export const configShape = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: keySet,
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: strings,
  Cmd: command,
  Healthcheck: healthcheckSchema.optional(),
  Image: text,
  Volumes: keySet,
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: bool,
  MacAddress: text,
  OnBuild: strings,
  Labels: stringMap,
  StopSignal: text,
  StopTimeout: int,
  Shell: command,
};

/** Schema of POST /containers/create. */
export const containerCreateSchema = goObject({
  ...configShape,
  HostConfig: hostConfigSchema.optional(),
  NetworkingConfig: networkingSchema.optional(),
});

type WireCreate = z.output<typeof containerCreateSchema>;
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Checks a container's name and takes the leading slash off. Throws `invalid` with Docker's text. */
export function decodeContainerName(name: string): string {
  const bare = name.replace(/^\//, '');
  if (namePattern.test(bare)) return bare;
  throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

/** Turns a create request into the domain's. Throws `invalid` with Docker's texts. */
export function decodeContainerCreate(
  wire: WireCreate,
  query: { name: string | undefined; platform: string | undefined },
): ContainerRequest {
  const name = query.name ? decodeContainerName(query.name) : undefined;
  if (!wire.Image) throw invalid('no command specified');
  checkConfig(wire);
  const host = decodeHostConfig(wire.HostConfig ?? {});
  const exposedPorts = decodeExposedPorts(wire.ExposedPorts);
  const hostname = wire.Hostname ?? '';
  checkNetworkConflicts(
    { network: host.networkMode, uts: host.utsMode },
    {
      hostname,
      links: host.links,
      dns: host.dns,
      extraHosts: host.extraHosts,
      publishes: host.ports.length > 0 || host.publishAllPorts,
      exposes: exposedPorts.length > 0,
      mac: wire.MacAddress ?? '',
    },
  );
  return {
    ...(name === undefined ? {} : { name }),
    image: wire.Image,
    ...(query.platform ? { platform: query.platform } : {}),
    hostname,
    domainname: wire.Domainname ?? '',
    process: decodeProcess(wire),
    labels: wire.Labels ?? {},
    exposedPorts,
    volumes: Object.keys(wire.Volumes ?? {}),
    ...(wire.Healthcheck === undefined ? {} : { healthcheck: decodeHealthcheck(wire.Healthcheck) }),
    ...(wire.OnBuild === undefined ? {} : { onBuild: wire.OnBuild }),
    networkDisabled: wire.NetworkDisabled ?? false,
    ...(wire.MacAddress ? { macAddress: wire.MacAddress } : {}),
    host,
    endpoints: decodeEndpoints(wire),
  };
}

function decodeProcess(wire: WireCreate): ContainerRequest['process'] {
  return {
    entrypoint: wire.Entrypoint,
    cmd: wire.Cmd,
    env: wire.Env ?? [],
    workingDir: wire.WorkingDir ? posix.normalize(wire.WorkingDir) : '',
    user: wire.User ?? '',
    tty: wire.Tty ?? false,
    openStdin: wire.OpenStdin ?? false,
    stdinOnce: wire.StdinOnce ?? false,
    attachStdin: wire.AttachStdin ?? false,
    attachStdout: wire.AttachStdout ?? false,
    attachStderr: wire.AttachStderr ?? false,
    stopSignal: wire.StopSignal ?? '',
    ...(wire.StopTimeout === undefined ? {} : { stopTimeout: wire.StopTimeout }),
    ...(wire.Shell === undefined ? {} : { shell: wire.Shell }),
  };
}

function decodeEndpoints(wire: WireCreate): ContainerRequest['endpoints'] {
  return Object.fromEntries(
    Object.entries(wire.NetworkingConfig?.EndpointsConfig ?? {}).map(([key, endpoint]) => {
      const network = networkMode(key);
      return [network, decodeEndpoint(network, endpoint)];
    }),
  );
}

function checkConfig(wire: WireCreate): void {
  for (const entry of wire.Env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`);
  }
  if (wire.WorkingDir && !wire.WorkingDir.startsWith('/')) {
    throw invalid(`the working directory '${wire.WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  if (wire.MacAddress && !isMacAddress(wire.MacAddress)) {
    const network = networkMode(wire.HostConfig?.NetworkMode);
    throw invalid(`invalid config for network ${network}: invalid MAC address ${wire.MacAddress}`);
  }
  for (const path of Object.keys(wire.Volumes ?? {})) {
    if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  }
}
