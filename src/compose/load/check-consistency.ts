import type { Service } from '../model/service.ts';
import { readUpdatePolicy } from '../model/update-policy.ts';
import type { DecodedModel } from './decode-project.ts';
import { findCycle } from './find-cycle.ts';
import type { Sources } from './sources.ts';

interface ConsistencyContext {
  model: DecodedModel;
  /** Services whose profiles are off. */
  disabled: Readonly<Record<string, Service>>;
  sources: Sources;
}

type Report = (message: string, ...keys: string[]) => never;

const suffix = ': invalid compose project';

function checkImage(service: Service, { model }: ConsistencyContext, report: Report): void {
  const name = JSON.stringify(service.name);
  const { build, platform } = service;
  if (!build && !service.image && !service.provider) {
    report(`service ${name} has neither an image nor a build context specified${suffix}`);
  }
  if (!build) return;
  if (build.dockerfile && build.dockerfile_inline) {
    report(`service ${name} declares mutualy exclusive dockerfile and dockerfile_inline${suffix}`, 'build');
  }
  for (const [context, target] of Object.entries(build.additional_contexts ?? {})) {
    if (!target.startsWith('service:')) continue;
    const other = model.services[target.slice('service:'.length)];
    const named = `${JSON.stringify(target.slice('service:'.length))} as additional contexts ${context}`;
    if (!other) report(`service ${name} declares unknown service ${named}${suffix}`, 'build', 'additional_contexts');
    if (!other?.build) {
      report(`service ${name} declares non-buildable service ${named}${suffix}`, 'build', 'additional_contexts');
    }
  }
  if (platform && build.platforms && !build.platforms.includes(platform)) {
    report(
      `service.build.platforms MUST include service.platform ${JSON.stringify(platform)}${suffix}`,
      'build',
      'platforms',
    );
  }
}

function checkReferences(service: Service, { model, disabled }: ConsistencyContext, report: Report): void {
  const name = JSON.stringify(service.name);
  const known = (what: string, names: Array<string | undefined>, declared: object, key: string) => {
    for (const wanted of names) {
      if (wanted === undefined || Object.hasOwn(declared, wanted)) continue;
      report(`service ${name} refers to undefined ${what} ${wanted}${suffix}`, ...key.split('.'));
    }
  };
  if (service.network_mode && service.networks) {
    report(
      `service ${service.name} declares mutually exclusive \`network_mode\` and \`networks\`${suffix}`,
      'network_mode',
    );
  }
  known('network', Object.keys(service.networks ?? {}), model.networks, 'networks');
  const [kind] = service.healthcheck?.test ?? [];
  if (kind !== undefined && !['CMD', 'CMD-SHELL', 'NONE'].includes(kind)) {
    report('healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"', 'healthcheck', 'test');
  }
  for (const [wanted, dependency] of Object.entries(service.depends_on ?? {})) {
    if (Object.hasOwn(model.services, wanted) || (!dependency.required && Object.hasOwn(disabled, wanted))) continue;
    report(`service ${name} depends on undefined service ${JSON.stringify(wanted)}${suffix}`, 'depends_on', wanted);
  }
  const named = service.volumes?.filter((volume) => volume.type === 'volume') ?? [];
  known(
    'volume',
    named.map((volume) => volume.source),
    model.volumes,
    'volumes',
  );
  known(
    'build secret',
    service.build?.secrets?.map((secret) => secret.source ?? '') ?? [],
    model.secrets,
    'build.secrets',
  );
  known('config', service.configs?.map((config) => config.source ?? '') ?? [], model.configs, 'configs');
  known('model', Object.keys(service.models ?? {}), model.models, 'models');
  known('secret', service.secrets?.map((secret) => secret.source ?? '') ?? [], model.secrets, 'secrets');
}

/** Old keys and their places under `deploy` must agree where there are limits, or reservations, at all. */
function checkLimits(service: Service, _context: ConsistencyContext, report: Report): void {
  const { limits, reservations } = service.deploy?.resources ?? {};
  const pairs: Array<[string, unknown, string, unknown, unknown]> = [
    ['cpus', service.cpus, 'limits.cpus', limits, limits?.cpus],
    ['mem_limit', service.mem_limit, 'limits.memory', limits, limits?.memory],
    ['mem_reservation', service.mem_reservation, 'reservations.memory', reservations, reservations?.memory],
    ['pids_limit', service.pids_limit, 'limits.pids', limits, limits?.pids],
  ];
  for (const [key, value, deployKey, among, other] of pairs) {
    if (value === undefined || among === undefined || value === other) continue;
    const message = `services.${service.name}: can't set distinct values on '${key}' and 'deploy.resources.${deployKey}'`;
    report(message + suffix, key);
  }
}

function checkScale(service: Service, _context: ConsistencyContext, report: Report): void {
  const { name, scale, deploy } = service;
  const replicas = deploy?.replicas;
  if (scale !== undefined && replicas !== undefined && scale !== replicas) {
    report(`services.${name}: can't set distinct values on 'scale' and 'deploy.replicas'${suffix}`, 'scale');
  }
  if (scale !== undefined && scale < 0)
    report(`services.${name}.scale: must be greater than or equal to 0${suffix}`, 'scale');
  if (replicas !== undefined && replicas < 0)
    report(`services.${name}.deploy.replicas: must be greater than or equal to 0`, 'deploy', 'replicas');
  if (scale === undefined || !deploy) return;
  const { mode, replicas: _replicas, ...rest } = deploy;
  service.deploy = { ...(mode === undefined ? {} : { mode }), replicas: scale, ...rest };
}

function checkContainerName(service: Service, _context: ConsistencyContext, report: Report): void {
  const { name, scale, deploy } = service;
  if ((scale ?? deploy?.replicas ?? 1) <= 1 || !service.container_name) return;
  const key = scale === undefined ? 'deploy.replicas' : 'scale';
  report(
    `services.${key}: can't set container_name and ${name} as container name must be unique${suffix}`,
    'container_name',
  );
}

function checkWatch(service: Service, _context: ConsistencyContext, report: Report): void {
  for (const [index, trigger] of (service.develop?.watch ?? []).entries()) {
    if (trigger.target || trigger.action === 'rebuild' || trigger.action === 'restart') continue;
    const message = `services.${service.name}.develop.watch: target is required for non-rebuild actions${suffix}`;
    report(message, 'develop', 'watch', String(index));
  }
}

function checkMounts(service: Service, _context: ConsistencyContext, report: Report): void {
  const taken = new Map<string, string>();
  const take = (key: string, targets: Array<string | undefined>) => {
    for (const [index, target] of targets.entries()) {
      if (target === undefined) continue;
      const place = `services.${service.name}.${key}[${index}]`;
      const earlier = taken.get(target);
      if (earlier !== undefined)
        report(`${place}: target ${target} already mounted as ${earlier}${suffix}`, key, String(index));
      taken.set(target, place);
    }
  };
  take('tmpfs', service.tmpfs?.map((entry) => entry.split(':')[0]) ?? []);
  take('volumes', service.volumes?.map((volume) => volume.target) ?? []);
  take('configs', service.configs?.map((config) => config.target) ?? []);
  take('secrets', service.secrets?.map((secret) => secret.target) ?? []);
}

function checkUpdate(service: Service, _context: ConsistencyContext, report: Report): void {
  const policy = readUpdatePolicy(service['x-update']);
  if ('order' in policy) return;
  report(`services.${service.name}.x-update: ${policy.message}${suffix}`, 'x-update', ...policy.keys);
}

const checks = [
  checkImage,
  checkReferences,
  checkScale,
  checkLimits,
  checkContainerName,
  checkWatch,
  checkMounts,
  checkUpdate,
];

/**
 * Checks that the objects of a model fit together: what is referred to is declared, keys that exclude each other are
 * not both set, dependencies do not run in a circle. Services whose profiles are off are not looked at.
 * Throws `invalid` with docker compose's texts and the line.
 */
export function checkConsistency(context: ConsistencyContext): void {
  const { model, sources } = context;
  for (const service of Object.values(model.services)) {
    const report: Report = (message, ...keys) => {
      throw sources.error(message, ['services', service.name, ...keys]);
    };
    for (const check of checks) check(service, context, report);
  }
  for (const [name, secret] of Object.entries(model.secrets)) {
    if (secret.external || secret.file || secret.environment) continue;
    throw sources.error(`secret ${JSON.stringify(name)} must declare either \`file\` or \`environment\`${suffix}`, [
      'secrets',
      name,
    ]);
  }
  const cycle = findCycle(model.services);
  if (cycle) {
    const path = ['services', cycle[0] ?? '', 'depends_on'];
    throw sources.error(`dependency cycle detected: ${cycle.join(' -> ')}`, path);
  }
}

/** Checks that no two services of a project want the same container name. Throws `invalid`. */
export function checkContainerNames(services: Readonly<Record<string, Service>>, sources: Sources): void {
  const taken = new Map<string, string>();
  for (const { name, container_name: wanted } of Object.values(services)) {
    if (wanted === undefined) continue;
    const other = taken.get(wanted);
    if (other !== undefined) {
      const message = `services.${name}: container name ${JSON.stringify(wanted)} is already in use by service "${other}"`;
      throw sources.error(message, ['services', name, 'container_name']);
    }
    taken.set(wanted, name);
  }
}
