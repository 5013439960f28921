/** Kinds of scalars a key takes. */
export type ScalarKind = 'null' | 'boolean' | 'integer' | 'number' | 'string';

/** What may stand at a place of a Compose file. Several forms in one schema are alternatives. */
export interface Schema {
  scalars?: readonly ScalarKind[];
  /** Allowed texts. */
  values?: readonly string[];
  /** Regular expression that text must match somewhere. */
  pattern?: string;
  /** A mapping with these keys; others are refused unless they begin with `x-`. */
  keys?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  /** Keys that begin with `x-` are refused, too. */
  closed?: boolean;
  /** A mapping with any keys, whose values are such. */
  each?: Schema;
  /** What the keys of `each` must match. */
  keyPattern?: RegExp;
  /** Keys that are not known, or do not match {@link keyPattern}, are let through, whatever their values. */
  lax?: boolean;
  /** A mapping that is not looked into. */
  open?: boolean;
  /** A list of such. */
  items?: Schema;
  /** No entry of the list may be there twice. */
  distinct?: boolean;
  /** Least and largest number. */
  min?: number;
  max?: number;
  /** Of alternatives, the one that messages tell. */
  first?: Schema;
}

const scalar = (...scalars: ScalarKind[]): Schema => ({ scalars });
const object = (keys: Record<string, Schema>, required: string[] = []): Schema => ({ keys, required });
const closed = (schema: Schema): Schema => ({ ...schema, closed: true });
const list = (items: Schema): Schema => ({ items });
/** A mapping from anything but the empty text. */
const mapOf = (each: Schema): Schema => ({ each, keyPattern: /./ });
const named = (each: Schema): Schema => ({ each, keyPattern: /^[a-zA-Z0-9._-]+$/ });
/** What does not fit the pattern for keys is not looked at. */
const laxly = (schema: Schema): Schema => ({ ...schema, lax: true });
/** Whatever one of `schemas` allows. */
const union = (...schemas: Schema[]): Schema =>
  Object.assign({}, ...schemas, { scalars: schemas.flatMap((schema) => schema.scalars ?? []) });
/** Alternatives: as {@link union}, but messages tell the first. */
const either = (first: Schema, ...others: Schema[]): Schema => ({ ...union(first, ...others), first });
const oneOf = (...values: string[]): Schema => ({ scalars: ['string'], values });

const text = scalar('string');
const flag = scalar('boolean', 'string');
const strictFlag = scalar('boolean');
const integer = scalar('integer', 'string');
const number = scalar('number', 'string');
const nothing = scalar('null');
const texts = list(text);
const distinctTexts: Schema = { items: text, distinct: true };
const textOrTexts = either(text, distinctTexts);
const names = distinctTexts;
const listOrDict = either(mapOf(scalar('boolean', 'null', 'number', 'string')), names);
const command = either(nothing, text, texts);
const extraHosts = either(mapOf(either(text, texts)), names);
/** A whole number with bounds, or text. */
const within = (min: number, max?: number): Schema =>
  either(text, { scalars: ['integer'], min, ...(max === undefined ? {} : { max }) });
const ulimits: Schema = {
  each: either(integer, object({ hard: integer, soft: integer }, ['soft', 'hard'])),
  keyPattern: /^[a-z]+$/,
  lax: true,
};
const driverOptions = laxly(mapOf(scalar('number', 'string')));
const external = union(flag, object({ name: text }));
const laxExternal = laxly(external);

const fileReference = either(text, object({ source: text, target: text, uid: text, gid: text, mode: number }));

const hook = object({ command, user: text, privileged: flag, working_dir: text, environment: listOrDict }, ['command']);

const deviceRequest = (required: string[]): Schema =>
  object(
    { capabilities: distinctTexts, count: integer, device_ids: distinctTexts, driver: text, options: listOrDict },
    required,
  );

const build = object({
  context: text,
  dockerfile: text,
  dockerfile_inline: text,
  entitlements: texts,
  args: listOrDict,
  ssh: listOrDict,
  labels: listOrDict,
  cache_from: texts,
  cache_to: texts,
  no_cache: flag,
  additional_contexts: listOrDict,
  network: text,
  provenance: flag,
  sbom: flag,
  pull: flag,
  target: text,
  shm_size: integer,
  extra_hosts: extraHosts,
  isolation: text,
  privileged: flag,
  secrets: list(fileReference),
  tags: texts,
  ulimits,
  platforms: texts,
});

const develop = object({
  watch: list(
    object(
      {
        ignore: textOrTexts,
        include: textOrTexts,
        path: text,
        action: oneOf('rebuild', 'sync', 'restart', 'sync+restart', 'sync+exec'),
        target: text,
        exec: hook,
        initial_sync: strictFlag,
      },
      ['path', 'action'],
    ),
  ),
});

const updateConfig = object({
  parallelism: integer,
  delay: text,
  failure_action: text,
  monitor: text,
  max_failure_ratio: number,
  order: oneOf('start-first', 'stop-first'),
});

const deploy = object({
  mode: text,
  endpoint_mode: text,
  replicas: integer,
  labels: listOrDict,
  rollback_config: updateConfig,
  update_config: updateConfig,
  resources: object({
    limits: object({ cpus: number, memory: text, pids: integer }),
    reservations: object({
      cpus: number,
      memory: text,
      generic_resources: list(object({ discrete_resource_spec: object({ kind: text, value: number }) })),
      devices: list(deviceRequest(['capabilities'])),
    }),
  }),
  restart_policy: object({ condition: text, delay: text, max_attempts: integer, window: text }),
  placement: object({
    constraints: texts,
    preferences: list(object({ spread: text })),
    max_replicas_per_node: integer,
  }),
});

const throttle = list(closed(object({ path: text, rate: integer })));
const blkio = closed(
  object({
    device_read_bps: throttle,
    device_read_iops: throttle,
    device_write_bps: throttle,
    device_write_iops: throttle,
    weight: integer,
    weight_device: list(closed(object({ path: text, weight: integer }))),
  }),
);

const serviceNetwork = object({
  aliases: names,
  interface_name: text,
  ipv4_address: text,
  ipv6_address: text,
  link_local_ips: names,
  mac_address: text,
  driver_opts: driverOptions,
  priority: scalar('number'),
  gw_priority: scalar('number'),
});

const volumeMount = object(
  {
    type: oneOf('bind', 'volume', 'tmpfs', 'cluster', 'npipe', 'image'),
    source: text,
    target: text,
    read_only: flag,
    consistency: text,
    bind: object({
      propagation: text,
      create_host_path: flag,
      recursive: oneOf('enabled', 'disabled', 'writable', 'readonly'),
      selinux: oneOf('z', 'Z'),
    }),
    volume: object({ labels: listOrDict, nocopy: flag, subpath: text }),
    tmpfs: object({ size: within(0), mode: number }),
    image: object({ subpath: text }),
  },
  ['type'],
);

const dependsOn = either(
  names,
  named(
    object(
      {
        restart: flag,
        required: strictFlag,
        condition: oneOf('service_started', 'service_healthy', 'service_completed_successfully'),
      },
      ['condition'],
    ),
  ),
);

const service = object({
  develop: union(nothing, develop),
  deploy: union(nothing, deploy),
  annotations: listOrDict,
  attach: flag,
  build: either(text, build),
  blkio_config: blkio,
  cap_add: names,
  cap_drop: names,
  cgroup: oneOf('host', 'private'),
  cgroup_parent: text,
  command,
  configs: list(fileReference),
  container_name: { scalars: ['string'], pattern: '[a-zA-Z0-9][a-zA-Z0-9_.-]+' },
  cpu_count: within(0),
  cpu_percent: within(0, 100),
  cpu_shares: number,
  cpu_quota: number,
  cpu_period: number,
  cpu_rt_period: number,
  cpu_rt_runtime: number,
  cpus: number,
  cpuset: text,
  credential_spec: object({ config: text, file: text, registry: text }),
  depends_on: dependsOn,
  device_cgroup_rules: distinctTexts,
  devices: list(either(text, object({ source: text, target: text, permissions: text }, ['source']))),
  dns: textOrTexts,
  dns_opt: names,
  dns_search: textOrTexts,
  domainname: text,
  entrypoint: command,
  env_file: either(text, list(either(text, closed(object({ path: text, format: text, required: flag }, ['path']))))),
  label_file: either(text, texts),
  environment: listOrDict,
  expose: { items: scalar('number', 'string'), distinct: true },
  extends: either(text, closed(object({ service: text, file: text }, ['service']))),
  provider: object(
    {
      type: text,
      options: laxly(mapOf(either(scalar('string', 'number', 'boolean'), list(scalar('string', 'number', 'boolean'))))),
    },
    ['type'],
  ),
  external_links: distinctTexts,
  extra_hosts: extraHosts,
  gpus: either(oneOf('all'), list(laxly(deviceRequest([])))),
  group_add: { items: scalar('number', 'string'), distinct: true },
  healthcheck: object({
    disable: flag,
    interval: text,
    retries: number,
    test: either(text, texts),
    timeout: text,
    start_period: text,
    start_interval: text,
  }),
  hostname: text,
  image: text,
  init: flag,
  ipc: text,
  isolation: text,
  labels: listOrDict,
  links: names,
  logging: object({ driver: text, options: laxly(mapOf(scalar('null', 'number', 'string'))) }),
  mac_address: text,
  mem_limit: number,
  mem_reservation: integer,
  mem_swappiness: integer,
  memswap_limit: number,
  network_mode: text,
  models: either(names, laxly(named(either(object({ endpoint_var: text, model_var: text }), nothing)))),
  networks: either(names, named(either(serviceNetwork, nothing))),
  oom_kill_disable: flag,
  oom_score_adj: within(-1000, 1000),
  pid: union(nothing, text),
  pids_limit: number,
  platform: text,
  ports: list(
    either(
      scalar('number'),
      text,
      object({
        name: text,
        mode: text,
        host_ip: text,
        target: integer,
        published: integer,
        protocol: text,
        app_protocol: text,
      }),
    ),
  ),
  post_start: list(hook),
  pre_stop: list(hook),
  privileged: flag,
  profiles: names,
  pull_policy: {
    scalars: ['string'],
    pattern: 'always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+',
  },
  pull_refresh_after: text,
  read_only: flag,
  restart: text,
  runtime: text,
  scale: integer,
  security_opt: distinctTexts,
  shm_size: number,
  secrets: list(fileReference),
  sysctls: listOrDict,
  stdin_open: flag,
  stop_grace_period: text,
  stop_signal: text,
  storage_opt: { open: true },
  tmpfs: textOrTexts,
  tty: flag,
  ulimits,
  use_api_socket: strictFlag,
  user: text,
  uts: text,
  userns_mode: text,
  volumes: list(either(text, volumeMount)),
  volumes_from: distinctTexts,
  working_dir: text,
});

const network = object({
  name: text,
  driver: text,
  driver_opts: driverOptions,
  ipam: object({
    driver: text,
    config: list(object({ subnet: text, ip_range: text, gateway: text, aux_addresses: mapOf(text) })),
    options: mapOf(text),
  }),
  external,
  internal: flag,
  enable_ipv4: flag,
  enable_ipv6: flag,
  attachable: flag,
  labels: listOrDict,
});

const volume = object({ name: text, driver: text, driver_opts: driverOptions, external, labels: listOrDict });

const fileObject = {
  name: text,
  environment: text,
  file: text,
  external: laxExternal,
  labels: listOrDict,
  template_driver: text,
};

/** The whole Compose file: keys and types of the Compose Specification's schema. */
export const composeSchema: Schema = object({
  version: text,
  name: text,
  include: list(either(text, object({ path: textOrTexts, env_file: textOrTexts, project_directory: text }))),
  services: named(service),
  models: laxly(
    named(object({ name: text, model: text, context_size: scalar('integer'), runtime_flags: texts }, ['model'])),
  ),
  networks: laxly(named(union(nothing, network))),
  volumes: named(union(nothing, volume)),
  secrets: named(object({ ...fileObject, driver: text, driver_opts: driverOptions })),
  configs: named(object({ ...fileObject, content: text })),
});
