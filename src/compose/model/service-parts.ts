/**
 * The parts a service is made of, in normalised form. Keys are the Compose Specification's own, so the objects are
 * the very document that `config --format json` prints. Byte sizes are decimal strings (`"67108864"`), durations are
 * Go duration strings (`"1m30s"`), and a key that is absent has its default.
 */

/** Keys that begin with `x-` may stand in any object and mean nothing to Compose. */
export interface Extensions {
  [key: `x-${string}`]: unknown;
}

/** Byte count as a decimal string; `-1` means "no limit" where the key allows it. */
export type ByteSize = string;

/** Duration as Go prints it, such as `1m30s` or `500ms`. */
export type DurationText = string;

/** Names to values; `null` is a variable that was named without a value and is not set anywhere. */
export type Environment = Record<string, string | null>;

/** Names to values, always set. */
export type Mapping = Record<string, string>;

/** How and from what an image is built. */
export interface Build extends Extensions {
  /** Absolute directory, or a URL. */
  context?: string;
  dockerfile?: string;
  dockerfile_inline?: string;
  entitlements?: string[];
  args?: Environment;
  provenance?: string;
  sbom?: string;
  /** `default` or `id=path`. */
  ssh?: string[];
  labels?: Mapping;
  cache_from?: string[];
  cache_to?: string[];
  no_cache?: boolean;
  /** Name to absolute directory, URL, `docker-image://` or `service:` reference. */
  additional_contexts?: Mapping;
  pull?: boolean;
  /** `host=address` entries, sorted. */
  extra_hosts?: string[];
  isolation?: string;
  network?: string;
  target?: string;
  secrets?: FileReference[];
  shm_size?: ByteSize;
  tags?: string[];
  ulimits?: Record<string, Ulimit>;
  platforms?: string[];
  privileged?: boolean;
}

/** One limit for both, or a soft and a hard one. */
export type Ulimit = number | UlimitPair;

/** A soft and a hard limit; an absent one is 0. */
export interface UlimitPair extends Extensions {
  soft?: number;
  hard?: number;
}

/** What `watch` does when files change. */
export interface Develop extends Extensions {
  watch?: WatchTrigger[];
}

/** One watched path. */
export interface WatchTrigger extends Extensions {
  /** Absolute. */
  path: string;
  action: 'sync' | 'rebuild' | 'restart' | 'sync+restart' | 'sync+exec';
  target?: string;
  exec: Hook;
  include?: string[];
  ignore?: string[];
  initial_sync?: boolean;
}

/** A command run in the container after start or before stop. */
export interface Hook extends Extensions {
  command: string[] | null;
  user?: string;
  privileged?: boolean;
  working_dir?: string;
  environment?: Environment;
}

/** Block I/O weights and throttles. The inner keys are capitalised as docker compose prints them. */
export interface BlkioConfig extends Extensions {
  weight?: number;
  weight_device?: Array<{ Path: string; Weight: number }>;
  device_read_bps?: ThrottleDevice[];
  device_read_iops?: ThrottleDevice[];
  device_write_bps?: ThrottleDevice[];
  device_write_iops?: ThrottleDevice[];
}

/** Rate per second, in bytes or operations, of one device. */
export interface ThrottleDevice {
  Path: string;
  Rate: ByteSize;
}

/** A host device in the container; `permissions` is a subset of `rwm`. */
export interface DeviceMapping extends Extensions {
  source?: string;
  target?: string;
  permissions?: string;
}

/** Devices asked of a driver, such as GPUs. */
export interface DeviceRequest extends Extensions {
  capabilities?: string[];
  driver?: string;
  /** -1 is all. */
  count?: number;
  device_ids?: string[];
  options?: Mapping;
}

/** Log driver and its options. */
export interface Logging extends Extensions {
  driver?: string;
  options?: Mapping;
}

/** Deployment: only `replicas`, `resources`, `restart_policy`, `labels` and `mode` matter to a single host. */
export interface Deploy extends Extensions {
  mode?: string;
  replicas?: number;
  labels?: Mapping;
  update_config?: UpdateConfig;
  rollback_config?: UpdateConfig;
  resources: Resources;
  restart_policy?: RestartPolicy;
  placement: Placement;
  endpoint_mode?: string;
}

/** How tasks are replaced. */
export interface UpdateConfig extends Extensions {
  parallelism?: number;
  delay?: DurationText;
  failure_action?: string;
  monitor?: DurationText;
  max_failure_ratio?: number;
  order?: string;
}

/** Limits and reservations. */
export interface Resources extends Extensions {
  limits?: Resource;
  reservations?: Resource;
}

/** Amounts of resources. `cpus` is a number of CPUs. */
export interface Resource extends Extensions {
  cpus?: number;
  memory?: ByteSize;
  pids?: number;
  devices?: DeviceRequest[];
  generic_resources?: Array<{ discrete_resource_spec?: { kind: string; value: number } }>;
}

/** When a container is started again. */
export interface RestartPolicy extends Extensions {
  condition?: string;
  delay?: DurationText;
  max_attempts?: number;
  window?: DurationText;
}

/** Where tasks may run. */
export interface Placement extends Extensions {
  constraints?: string[];
  preferences?: Array<{ spread?: string }>;
  max_replicas_per_node?: number;
}

/** A dependency on another service. */
export interface Dependency extends Extensions {
  condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
  /** Restart this service too when the dependency is restarted or updated by Compose. */
  restart?: boolean;
  /** When false, only a warning if the dependency is missing or fails. */
  required: boolean;
}

/** A file with environment variables. */
export interface EnvFile {
  path: string;
  /** Absent or true: the file must exist. */
  required?: boolean;
  /** `raw`: values are taken literally. */
  format?: string;
}

/** A health check. `test[0]` is `NONE`, `CMD` or `CMD-SHELL`. */
export interface Healthcheck extends Extensions {
  test?: string[];
  timeout?: DurationText;
  interval?: DurationText;
  retries?: number;
  start_period?: DurationText;
  start_interval?: DurationText;
  disable?: boolean;
}

/** A service's membership of a network. */
export interface ServiceNetwork extends Extensions {
  aliases?: string[];
  driver_opts?: Mapping;
  gw_priority?: number;
  interface_name?: string;
  ipv4_address?: string;
  ipv6_address?: string;
  link_local_ips?: string[];
  mac_address?: string;
  priority?: number;
}

/** A port published or, without `published`, given a free host port. */
export interface ServicePort extends Extensions {
  name?: string;
  mode?: string;
  host_ip?: string;
  target?: number;
  /** A port or a range such as `8080-8090`. */
  published?: string;
  protocol?: string;
  app_protocol?: string;
}

/** A mount of a service. */
export interface ServiceVolume extends Extensions {
  type: 'volume' | 'bind' | 'tmpfs' | 'npipe' | 'cluster' | 'image';
  /** Key under `volumes`, absolute host path, or image; absent for an anonymous volume or tmpfs. */
  source?: string;
  target?: string;
  read_only?: boolean;
  consistency?: string;
  bind?: {
    selinux?: string;
    propagation?: string;
    /** Absent means false, unless `bind` is absent as a whole. */
    create_host_path?: boolean;
    recursive?: string;
  } & Extensions;
  volume?: { labels?: Mapping; nocopy?: boolean; subpath?: string } & Extensions;
  /** `mode` is the permission bits as a number. */
  tmpfs?: { size?: ByteSize; mode?: number } & Extensions;
  image?: { subpath?: string } & Extensions;
}

/** Use of a secret or config by a service or a build. `source` is a key under `secrets` or `configs`. */
export interface FileReference extends Extensions {
  source?: string;
  target?: string;
  uid?: string;
  gid?: string;
  /** Octal with a leading zero, such as `0440`. */
  mode?: string;
}

/** Credentials of Windows containers. */
export interface CredentialSpec extends Extensions {
  config?: string;
  file?: string;
  registry?: string;
}

/** A service that a plugin provides instead of a container. */
export interface Provider extends Extensions {
  type?: string;
  options?: Record<string, string[]>;
}

/** How a service learns of a model. */
export interface ServiceModel extends Extensions {
  endpoint_var?: string;
  model_var?: string;
}
