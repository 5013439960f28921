import { invalid } from '#base';
import type { Healthcheck, ImageRunConfig } from '#oci';
import type { ContainerRequest, ProcessSettings } from '../container.ts';

/** The part of a container's settings that an image has defaults for. */
export interface MergedSettings {
  readonly process: ProcessSettings;
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  /** Those of `volumes` that only the image asks for. */
  readonly imageVolumes: readonly string[];
  readonly healthcheck?: Healthcheck;
}

/**
 * Docker's rules for what a container takes from its image: an own entrypoint also drops the image's command; maps are
 * united; variables of the image are added where the request does not set them. Throws `invalid` ("no command
 * specified") when nothing is left to run.
 */
export function mergeImage(request: ContainerRequest, image: ImageRunConfig): MergedSettings {
  const { process } = request;
  const healthcheck = mergeHealthcheck(request.healthcheck, image.Healthcheck);
  const imageVolumes = Object.keys(image.Volumes ?? {}).filter((path) => !request.volumes.includes(path));
  const shell = process.shell ?? image.Shell;
  return {
    process: {
      ...process,
      ...mergeCommand(process, image),
      env: mergeEnvironment(process.env, image.Env ?? []),
      user: process.user || image.User || '',
      workingDir: process.workingDir || image.WorkingDir || '',
      stopSignal: process.stopSignal || image.StopSignal || '',
      ...(shell ? { shell } : {}),
    },
    labels: { ...image.Labels, ...request.labels },
    exposedPorts: [...new Set([...request.exposedPorts, ...Object.keys(image.ExposedPorts ?? {})])],
    volumes: [...request.volumes, ...imageVolumes],
    imageVolumes,
    ...(healthcheck ? { healthcheck } : {}),
  };
}

function mergeCommand(asked: ContainerRequest['process'], image: ImageRunConfig) {
  let { entrypoint = null, cmd = null } = asked;
  const own = entrypoint !== null && entrypoint.length > 0;
  if (!own) {
    if (cmd === null || cmd.length === 0) cmd = image.Cmd ?? null;
    if (asked.entrypoint === null || asked.entrypoint === undefined) entrypoint = image.Entrypoint ?? null;
  }
  // `--entrypoint ""` arrives as one empty word and means: none, not even the image's.
  if (entrypoint?.length === 1 && entrypoint[0] === '') entrypoint = null;
  if ((entrypoint?.length ?? 0) + (cmd?.length ?? 0) === 0) throw invalid('no command specified');
  return { entrypoint, cmd };
}

function mergeEnvironment(own: readonly string[], image: readonly string[]): string[] {
  const names = new Set(own.map(nameOf));
  return [...own, ...image.filter((entry) => !names.has(nameOf(entry)))];
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? '';
}

function mergeHealthcheck(own: Healthcheck | undefined, image: Healthcheck | undefined): Healthcheck | undefined {
  if (own === undefined || image === undefined) return own ?? image;
  return {
    ...image,
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value))),
  };
}
