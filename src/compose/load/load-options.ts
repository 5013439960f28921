import type { SourceReader } from './source-reader.ts';

/** What the flags, the process and the caller say about a project to load. */
export interface LoadOptions {
  /** Directory the command runs in, absolute. */
  workingDir: string;
  /** Variables of the process. */
  environment: Readonly<Record<string, string | undefined>>;
  /** `--file`, in order; `-` is standard input. Empty: `COMPOSE_FILE`, else the usual names here and in the parents. */
  files?: readonly string[];
  /** `--project-directory`. */
  projectDirectory?: string | undefined;
  /** `--project-name`. */
  projectName?: string | undefined;
  /** `--env-file`, in order. Empty: `COMPOSE_ENV_FILES`, else `.env` of the project's directory. */
  envFiles?: readonly string[];
  /** `--profile`; `*` is all. Empty: `COMPOSE_PROFILES`. */
  profiles?: readonly string[];
  /** Only these services and what they depend on; their profiles are switched on. */
  services?: readonly string[];
  /** Keep networks, volumes and so on that no service uses (`--all-resources`). */
  allResources?: boolean;
  /** Reads standard input when a file is `-`. */
  readInput?: () => Promise<string>;
  /** Default: the disk. */
  reader?: SourceReader;
  /** False: `--no-interpolate`. */
  interpolate?: boolean;
  /** False: `--no-path-resolution`. */
  resolvePaths?: boolean;
  /** False: `--no-normalize`. */
  normalise?: boolean;
  /** False: `--no-consistency`. */
  checkConsistency?: boolean;
  /** False: `--no-env-resolution`; `env_file` stays. */
  resolveEnvironment?: boolean;
}
