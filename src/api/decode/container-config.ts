import { posix } from 'node:path';
import { z } from 'zod';
import type { ContainerRequest } from '#engine';
import { bool, command, int, keySet, stringMap, strings, text } from './go-json.ts';
import { decodeHealthcheck, healthcheckSchema } from './healthcheck.ts';
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

const schema = z.object(configShape);
type WireConfig = z.output<typeof schema>;

/** The parts of a config that an image can have too. */
export type DecodedConfig = Pick<ContainerRequest, 'process'> &
  Partial<Pick<ContainerRequest, 'labels' | 'exposedPorts' | 'volumes' | 'healthcheck' | 'onBuild'>>;

/** Turns a config into the domain's; maps and lists that were not sent are left out. Throws `invalid` for a bad port. */
export function decodeConfig(wire: WireConfig): DecodedConfig {
  return {
    process: decodeProcess(wire),
    ...(wire.Labels === undefined ? {} : { labels: wire.Labels }),
    ...(wire.ExposedPorts === undefined ? {} : { exposedPorts: decodeExposedPorts(wire.ExposedPorts) }),
    ...(wire.Volumes === undefined ? {} : { volumes: Object.keys(wire.Volumes) }),
    ...(wire.Healthcheck === undefined ? {} : { healthcheck: decodeHealthcheck(wire.Healthcheck) }),
    ...(wire.OnBuild === undefined ? {} : { onBuild: wire.OnBuild }),
  };
}

function decodeProcess(wire: WireConfig): ContainerRequest['process'] {
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
