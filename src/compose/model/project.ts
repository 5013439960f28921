import type { Service } from './service.ts';
import type { Extensions, Mapping } from './service-parts.ts';

/** A network of the project. `name` is the engine's name: `PROJECT_KEY` unless the file names it. */
export interface Network extends Extensions {
  name: string;
  driver?: string;
  driver_opts?: Mapping;
  ipam: Ipam;
  /** Not ours: it must exist already and is never removed. */
  external?: boolean;
  internal?: boolean;
  attachable?: boolean;
  labels?: Mapping;
  enable_ipv4?: boolean;
  enable_ipv6?: boolean;
}

/** Address management of a network. */
export interface Ipam extends Extensions {
  driver?: string;
  config?: IpamPool[];
}

/** One subnet. */
export interface IpamPool extends Extensions {
  subnet?: string;
  gateway?: string;
  ip_range?: string;
  aux_addresses?: Mapping;
}

/** A volume of the project. `name` is the engine's name. */
export interface Volume extends Extensions {
  name: string;
  driver?: string;
  driver_opts?: Mapping;
  external?: boolean;
  labels?: Mapping;
}

/** A secret or a config: exactly one of file, environment, content, external (or a driver) says where it is from. */
export interface FileObject extends Extensions {
  name: string;
  /** Absolute. */
  file?: string;
  /** Variable of the project's environment that holds the content. */
  environment?: string;
  content?: string;
  external?: boolean;
  labels?: Mapping;
  driver?: string;
  driver_opts?: Mapping;
  template_driver?: string;
}

/** An AI model that services use. */
export interface Model extends Extensions {
  name?: string;
  model?: string;
  context_size?: number;
  runtime_flags?: string[];
}

/**
 * A resolved project: everything the files, the environment and the flags say, checked and normalised.
 * Records are keyed by the names in the file and iterate in sorted order. Objects are plain data and never shared.
 */
export interface Project {
  name: string;
  /** Absolute directory that relative paths of the main file are resolved against. */
  workingDir: string;
  /** Absolute paths of the files loaded by name, in merge order; `-` for standard input. Included files are not listed. */
  composeFiles: string[];
  /** The `--env-file` arguments or the default `.env`, absolute, those that were read. */
  envFiles: string[];
  /** What variables in the files are resolved with: process environment over env files. */
  environment: Mapping;
  /** Profiles asked for. */
  profiles: string[];
  /** Services that are on: no profile, or one of those asked for. */
  services: Record<string, Service>;
  /** Services whose profiles are off. */
  disabledServices: Record<string, Service>;
  networks: Record<string, Network>;
  volumes: Record<string, Volume>;
  secrets: Record<string, FileObject>;
  configs: Record<string, FileObject>;
  models: Record<string, Model>;
  /** Top-level `x-` keys. */
  extensions: Extensions;
  /** What the user should be told, once each, such as variables that are not set; ready to print. */
  warnings: string[];
  /** Where in the files a path of keys stands, as `FILE:LINE`; the nearest key above it where it is not there itself. */
  locate?: (path: readonly string[]) => string | undefined;
}

/** A project without anything in it but its name. */
export function emptyProject(name: string): Project {
  return {
    name,
    workingDir: '',
    composeFiles: [],
    envFiles: [],
    environment: {},
    profiles: [],
    services: {},
    disabledServices: {},
    networks: {},
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    warnings: [],
  };
}
