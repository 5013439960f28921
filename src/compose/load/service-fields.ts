import { attempt } from './decode-fault.ts';
import {
  always,
  bareInteger,
  byteSize,
  type Decode,
  deviceCount,
  duration,
  type Fields,
  fileMode,
  flag,
  float,
  hosts,
  inField,
  integer,
  list,
  mapping,
  nonZeroUnsigned,
  optionalDuration,
  optionalFlag,
  optionalInteger,
  optOut,
  overflow,
  record,
  sortedRecord,
  struct,
  text,
  textOrInteger,
  texts,
  textsOrIntegers,
  unsigned,
  variables,
} from './shape.ts';
import { shellWords } from './shell-words.ts';
import { isList, isMap, scalarText } from './tree.ts';

/** A command: text is split into words; null is the image's own and an empty one clears that. */
const command: Decode = (value, context) => {
  if (value === null) return null;
  if (isList(value)) return value.map(scalarText);
  return attempt(context, () => shellWords(scalarText(value)));
};

/** A check: text is for the shell. */
const checkTest: Decode = (value) => {
  if (value === null) return undefined;
  const test = isList(value) ? value.map(scalarText) : ['CMD-SHELL', scalarText(value)];
  return test.length === 0 ? undefined : test;
};

const ulimit: Decode = (value, context) => {
  if (!isMap(value)) return integer(value, context) ?? {};
  const pair = struct({ soft: integer, hard: integer })(value, context);
  return pair;
};

/** Each option is a list; those that are empty are none. */
const providerOptions: Decode = (value) => {
  if (!isMap(value)) return undefined;
  const options = [...value].map(([key, entry]) => [key, (isList(entry) ? entry : [entry]).map(scalarText)] as const);
  const given = options.filter(([, texts]) => texts.length > 0);
  return given.length === 0 ? undefined : sortedRecord(given);
};

const fileReference = struct({ source: text, target: text, uid: text, gid: text, mode: fileMode });
const ulimits = record(ulimit);

/** Each key as `id=path`, or its `id` alone. */
const sshKeys: Decode = (value) => {
  if (!isMap(value) || value.size === 0) return undefined;
  return [...value].map(([id, path]) => (path === null ? id : `${id}=${scalarText(path)}`));
};

const build = struct({
  context: text,
  dockerfile: text,
  dockerfile_inline: text,
  entitlements: texts,
  args: variables,
  provenance: text,
  sbom: text,
  ssh: sshKeys,
  labels: mapping,
  cache_from: texts,
  cache_to: texts,
  no_cache: flag,
  additional_contexts: mapping,
  pull: flag,
  extra_hosts: hosts,
  isolation: text,
  network: text,
  target: text,
  secrets: list(fileReference),
  shm_size: byteSize,
  tags: texts,
  ulimits,
  platforms: texts,
  privileged: flag,
});

const hookFields: Fields = {
  command: always(command, null),
  user: text,
  privileged: flag,
  working_dir: text,
  environment: variables,
};
const hook = struct(hookFields);

const watchTrigger = struct({
  path: always(text, ''),
  action: always(text, ''),
  target: text,
  exec: always(hook, { command: null }),
  include: texts,
  ignore: texts,
  initial_sync: flag,
});

/** The weight of a device, in 16 bits. */
const weight: Decode = (value, context) => {
  const number = bareInteger('uint16')(value, context) as number | undefined;
  return number === undefined ? undefined : number % 2 ** 16 || undefined;
};

const throttle = list(
  struct({ path: always(text, ''), rate: always(inField('Rate', byteSize), '0') }, { path: 'Path', rate: 'Rate' }),
);

const blkio = struct({
  weight,
  weight_device: list(
    struct(
      { path: always(text, ''), weight: always(inField('Weight', weight), 0) },
      { path: 'Path', weight: 'Weight' },
    ),
  ),
  device_read_bps: throttle,
  device_read_iops: throttle,
  device_write_bps: throttle,
  device_write_iops: throttle,
});

const deviceRequest = struct({
  capabilities: texts,
  driver: text,
  count: deviceCount,
  device_ids: texts,
  options: mapping,
});

const resource = struct({
  cpus: float,
  memory: byteSize,
  pids: integer,
  devices: list(deviceRequest),
  generic_resources: list(
    struct({ discrete_resource_spec: struct({ kind: always(text, ''), value: always(integer, 0) }) }),
  ),
});

const updateConfig = struct({
  parallelism: unsigned,
  delay: duration,
  failure_action: text,
  monitor: duration,
  max_failure_ratio: float,
  order: text,
});

const deploy = struct({
  mode: text,
  replicas: optionalInteger,
  labels: mapping,
  update_config: updateConfig,
  rollback_config: updateConfig,
  resources: always(struct({ limits: resource, reservations: resource }), {}),
  restart_policy: struct({
    condition: text,
    delay: optionalDuration,
    max_attempts: unsigned,
    window: optionalDuration,
  }),
  placement: always(
    struct({ constraints: texts, preferences: list(struct({ spread: text })), max_replicas_per_node: nonZeroUnsigned }),
    {},
  ),
  endpoint_mode: text,
});

const healthcheck = struct({
  test: checkTest,
  timeout: optionalDuration,
  interval: optionalDuration,
  retries: unsigned,
  start_period: optionalDuration,
  start_interval: optionalDuration,
  disable: flag,
});

const serviceNetwork = struct({
  aliases: texts,
  driver_opts: mapping,
  gw_priority: integer,
  interface_name: text,
  ipv4_address: text,
  ipv6_address: text,
  link_local_ips: texts,
  mac_address: text,
  priority: integer,
});

const portNumber: Decode = (value, context) => {
  const number = integer(value, context) as number | undefined;
  if (number !== undefined && number < 0) throw overflow(number, 'uint32', context);
  return number;
};

const port = struct({
  name: text,
  mode: text,
  host_ip: text,
  target: portNumber,
  published: text,
  protocol: text,
  app_protocol: text,
});

const volume = struct({
  type: text,
  source: text,
  target: text,
  read_only: flag,
  consistency: text,
  bind: struct({ selinux: text, propagation: text, create_host_path: flag, recursive: text }),
  volume: struct({ labels: mapping, nocopy: flag, subpath: text }),
  tmpfs: struct({ size: byteSize, mode: bareInteger('uint32') }),
  image: struct({ subpath: text }),
});

/** The keys of a service in the order in which docker compose writes and hashes them. */
export const serviceFields: Fields = {
  profiles: texts,
  annotations: mapping,
  attach: optionalFlag,
  build,
  develop: struct({ watch: list(watchTrigger) }),
  blkio_config: blkio,
  cap_add: texts,
  cap_drop: texts,
  cgroup_parent: text,
  cgroup: text,
  cpu_count: integer,
  cpu_percent: float,
  cpu_period: integer,
  cpu_quota: integer,
  cpu_rt_period: integer,
  cpu_rt_runtime: integer,
  cpus: float,
  cpuset: text,
  cpu_shares: integer,
  command: always(command, null),
  configs: list(fileReference),
  container_name: text,
  credential_spec: struct({ config: text, file: text, registry: text }),
  depends_on: record(struct({ condition: text, restart: flag, required: always(flag, false) })),
  deploy,
  device_cgroup_rules: texts,
  devices: list(struct({ source: text, target: text, permissions: text })),
  dns: texts,
  dns_opt: texts,
  dns_search: texts,
  dockerfile: text,
  domainname: text,
  entrypoint: always(command, null),
  provider: struct({ type: text, options: providerOptions }),
  environment: variables,
  env_file: list(struct({ path: always(text, ''), required: optOut, format: text })),
  expose: textsOrIntegers,
  external_links: texts,
  extra_hosts: hosts,
  group_add: textsOrIntegers,
  gpus: list(deviceRequest),
  hostname: text,
  healthcheck,
  image: text,
  init: optionalFlag,
  ipc: text,
  isolation: text,
  labels: mapping,
  label_file: texts,
  links: texts,
  logging: struct({ driver: text, options: mapping }),
  log_driver: text,
  log_opt: mapping,
  mem_limit: byteSize,
  mem_reservation: byteSize,
  memswap_limit: byteSize,
  mem_swappiness: byteSize,
  mac_address: text,
  models: record(struct({ endpoint_var: text, model_var: text })),
  net: text,
  network_mode: text,
  networks: record(serviceNetwork),
  oom_kill_disable: flag,
  oom_score_adj: integer,
  pid: text,
  pids_limit: integer,
  platform: text,
  ports: list(port),
  privileged: flag,
  pull_policy: text,
  read_only: flag,
  restart: text,
  runtime: text,
  scale: optionalInteger,
  secrets: list(fileReference),
  security_opt: texts,
  shm_size: byteSize,
  stdin_open: flag,
  stop_grace_period: optionalDuration,
  stop_signal: text,
  storage_opt: record(textOrInteger),
  sysctls: mapping,
  tmpfs: texts,
  tty: flag,
  ulimits,
  use_api_socket: flag,
  user: text,
  userns_mode: text,
  uts: text,
  volume_driver: text,
  volumes: list(volume),
  volumes_from: texts,
  working_dir: text,
  post_start: list(hook),
  pre_stop: list(hook),
};
