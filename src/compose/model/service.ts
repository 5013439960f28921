import type {
  BlkioConfig,
  Build,
  ByteSize,
  CredentialSpec,
  Dependency,
  Deploy,
  Develop,
  DeviceMapping,
  DeviceRequest,
  DurationText,
  EnvFile,
  Environment,
  Extensions,
  FileReference,
  Healthcheck,
  Hook,
  Logging,
  Mapping,
  Provider,
  ServiceModel,
  ServiceNetwork,
  ServicePort,
  ServiceVolume,
  Ulimit,
} from './service-parts.ts';

/**
 * One service, normalised: short forms are expanded, paths are absolute, `env_file` has become part of `environment`,
 * `extends` is gone, and `depends_on` holds the dependencies that links, namespaces and `volumes_from` imply.
 * `command` and `entrypoint` are `null` when the image decides and `[]` when the image's value is cleared.
 */
export interface Service extends Extensions {
  /** Its key under `services`; not part of the document or the hash. */
  name: string;
  profiles?: string[];
  annotations?: Mapping;
  /** False: `up` does not show its output. */
  attach?: boolean;
  build?: Build;
  develop?: Develop;
  blkio_config?: BlkioConfig;
  cap_add?: string[];
  cap_drop?: string[];
  cgroup_parent?: string;
  cgroup?: string;
  cpu_count?: number;
  cpu_percent?: number;
  /** Microseconds. */
  cpu_period?: number;
  /** Microseconds. */
  cpu_quota?: number;
  /** Microseconds. */
  cpu_rt_period?: number;
  /** Microseconds. */
  cpu_rt_runtime?: number;
  /** Number of CPUs, may be a fraction. */
  cpus?: number;
  cpuset?: string;
  cpu_shares?: number;
  command: string[] | null;
  configs?: FileReference[];
  container_name?: string;
  credential_spec?: CredentialSpec;
  depends_on?: Record<string, Dependency>;
  deploy?: Deploy;
  device_cgroup_rules?: string[];
  devices?: DeviceMapping[];
  dns?: string[];
  dns_opt?: string[];
  dns_search?: string[];
  dockerfile?: string;
  domainname?: string;
  entrypoint: string[] | null;
  provider?: Provider;
  environment?: Environment;
  /** Present only when the environment was not resolved (`--no-env-resolution`). */
  env_file?: EnvFile[];
  expose?: string[];
  external_links?: string[];
  /** `host=address` entries, sorted. */
  extra_hosts?: string[];
  group_add?: string[];
  gpus?: DeviceRequest[];
  hostname?: string;
  healthcheck?: Healthcheck;
  image?: string;
  init?: boolean;
  ipc?: string;
  isolation?: string;
  labels?: Mapping;
  label_file?: string[];
  links?: string[];
  logging?: Logging;
  log_driver?: string;
  log_opt?: Mapping;
  mem_limit?: ByteSize;
  mem_reservation?: ByteSize;
  memswap_limit?: ByteSize;
  mem_swappiness?: ByteSize;
  mac_address?: string;
  models?: Record<string, ServiceModel | null>;
  net?: string;
  network_mode?: string;
  /** Key under the project's `networks` to membership. */
  networks?: Record<string, ServiceNetwork | null>;
  oom_kill_disable?: boolean;
  oom_score_adj?: number;
  pid?: string;
  pids_limit?: number;
  platform?: string;
  ports?: ServicePort[];
  privileged?: boolean;
  pull_policy?: string;
  read_only?: boolean;
  restart?: string;
  runtime?: string;
  scale?: number;
  secrets?: FileReference[];
  security_opt?: string[];
  shm_size?: ByteSize;
  stdin_open?: boolean;
  stop_grace_period?: DurationText;
  stop_signal?: string;
  storage_opt?: Mapping;
  sysctls?: Mapping;
  tmpfs?: string[];
  tty?: boolean;
  ulimits?: Record<string, Ulimit>;
  use_api_socket?: boolean;
  user?: string;
  userns_mode?: string;
  uts?: string;
  volume_driver?: string;
  volumes?: ServiceVolume[];
  volumes_from?: string[];
  working_dir?: string;
  post_start?: Hook[];
  pre_stop?: Hook[];
}
